/**
 * Groups edits into hunks: { oldStart, oldCount, newStart, newCount, edits }. A hunk has up to
 * `context` same lines around its changes. Starts count from 1; that of an empty side is the line
 * before it.
 */
export function hunks(edits, context) {
  const result = [];
  let oldLine = 1;
  let newLine = 1;
  for (let index = 0; index < edits.length; index++) {
    const begin = index;
    while (index < edits.length && edits[index].type !== 'same') index += 1;
    if (index > begin) {
      const part = edits.slice(Math.max(0, begin - context), index + context);
      result.push({
        oldStart: oldLine - context,
        oldCount: part.filter(({ type }) => type !== 'added').length,
        newStart: newLine - context,
        newCount: part.filter(({ type }) => type !== 'removed').length,
        edits: part,
      });
    }
    for (const { type } of edits.slice(begin, index + 1)) {
      if (type !== 'added') oldLine += 1;
      if (type !== 'removed') newLine += 1;
    }
  }
  return result;
}
