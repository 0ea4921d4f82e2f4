export const DEFAULTS = Object.freeze({ retries: 3, timeout: 10_000, headers: Object.freeze({}) });

/** Complete options; what is undefined or null gets its default. */
export function complete(options = {}) {
  const headers = {};
  for (const [name, value] of Object.entries(options.headers ?? DEFAULTS.headers)) {
    headers[name.toLowerCase()] = String(value);
  }
  const retries = options.retries || DEFAULTS.retries;
  const timeout = options.timeout ?? DEFAULTS.timeout;
  if (!Number.isInteger(retries) || retries < 0) throw new RangeError(`retries: ${retries}`);
  if (!(timeout > 0)) throw new RangeError(`timeout: ${timeout}`);
  return { retries, timeout, headers };
}
