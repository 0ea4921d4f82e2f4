/**
 * The edits that make one list of lines another: { type: 'same' | 'removed' | 'added', line }, in
 * order, with as many same lines as possible. What is removed comes before what is added.
 */
export function edits(oldLines, newLines) {
  const lengths = commonLengths(oldLines, newLines);
  const result = [];
  let i = 0;
  let j = 0;
  while (i < oldLines.length || j < newLines.length) {
    if (i < oldLines.length && j < newLines.length && oldLines[i] === newLines[j]) {
      result.push({ type: 'same', line: oldLines[i] });
      i += 1;
      j += 1;
    } else if (addsFirst(lengths, i, j)) {
      result.push({ type: 'added', line: newLines[j] });
      j += 1;
    } else {
      result.push({ type: 'removed', line: oldLines[i] });
      i += 1;
    }
  }
  return result;
}

/** Whether from i and j on it is better to add a line than to remove one. */
function addsFirst(lengths, i, j) {
  if (i === lengths.length - 1) return true;
  return j < lengths[i].length - 1 && lengths[i + 1][j] < lengths[i][j + 1];
}

/** lengths[i][j]: how many lines the lists from i and from j on can have in common. */
function commonLengths(oldLines, newLines) {
  const lengths = Array.from({ length: oldLines.length + 1 }, () =>
    new Array(newLines.length + 1).fill(0),
  );
  for (let i = oldLines.length - 1; i >= 0; i--) {
    for (let j = newLines.length - 1; j >= 0; j--) {
      lengths[i][j] =
        oldLines[i] === newLines[j]
          ? lengths[i + 1][j + 1] + 1
          : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}
