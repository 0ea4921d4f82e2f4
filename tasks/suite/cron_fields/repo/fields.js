/** The values that a field stands for, in order: ("0,30", 0, 59) -> [0, 30]. */
export function parseField(text, min, max) {
  const values = new Set();
  if (text === '*') {
    for (let value = min; value <= max; value++) values.add(value);
  } else {
    for (const part of text.split(',')) values.add(Number(part));
  }
  return [...values].sort((a, b) => a - b);
}
