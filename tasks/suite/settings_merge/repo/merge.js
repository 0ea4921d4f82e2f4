/** Whether a value is an object, but no list, date or the like. */
export function isPlain(value) {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** A copy of `base` in which what `changes` has is replaced; objects are merged at every depth. */
export function merge(base, changes) {
  const result = {};
  for (const key of Object.keys(base)) result[key] = structuredClone(base[key]);
  for (const key of Object.keys(changes)) {
    if (typeof changes[key] !== 'object') {
      result[key] = changes[key];
    } else {
      result[key] = Object.assign(result[key] ?? {}, merge(result[key] ?? {}, changes[key]));
    }
  }
  return result;
}
