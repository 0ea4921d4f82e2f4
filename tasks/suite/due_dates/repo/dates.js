const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** Days are dates at midnight UTC, so that no time zone moves them. */
export function parseDate(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) throw new RangeError(`not a date: ${text}`);
  const [year, month, day] = match.slice(1).map(Number);
  return new Date(Date.UTC(year, month, day));
}

export function formatDate(date) {
  return date.toISOString().slice(0, 10);
}

export function addDays(date, days) {
  return new Date(date.getTime() + days * MS_PER_DAY);
}

/** Whole days from one date to another; negative when the other is earlier. */
export function daysBetween(from, to) {
  return Math.round((to - from) / MS_PER_DAY);
}

export function isWeekend(date) {
  return date.getUTCDay() % 6 === 0;
}
