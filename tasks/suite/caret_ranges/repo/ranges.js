import { compare, parse } from './versions.js';

/** The first version above a range such as "^1.2.3", "~1.2.3" or "1.2.3". */
function upperBound(operator, [major, minor, patch]) {
  if (operator !== '') return [major + 1, 0, 0];
  return [major, minor, patch + 1];
}

/** Whether a version is in a range; several ranges with "||" between them are one or the other. */
export function satisfies(version, ranges) {
  const wanted = parse(version);
  return ranges.split('||').some((range) => {
    const [, operator, base] = /^\s*([\^~]?)(.*?)\s*$/.exec(range);
    const lower = parse(base);
    return compare(wanted, lower) >= 0 && compare(wanted, upperBound(operator, lower)) < 0;
  });
}

/** The highest of the versions that is in the range, or undefined. */
export function highest(versions, range) {
  return versions
    .filter((version) => satisfies(version, range))
    .sort((a, b) => compare(parse(b), parse(a)))[0];
}
