/** The three numbers of a version. */
export function parse(text) {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (!match) throw new SyntaxError(`not a version: ${text}`);
  return match.slice(1).map(Number);
}

/** Negative, zero or positive, as for sorting. */
export function compare(left, right) {
  const index = left.findIndex((number, i) => number !== right[i]);
  return index < 0 ? 0 : left[index] - right[index];
}
