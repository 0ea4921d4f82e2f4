/** "1.15" -> 1.15. */
export function parseAmount(text) {
  if (!/^-?\d+(\.\d{1,2})?$/.test(text)) throw new RangeError(`not an amount: ${text}`);
  return Number(text);
}

/** 1.15 -> "1.15". */
export function formatAmount(amount) {
  return String(amount);
}
