import { addDays, daysBetween, formatDate, isWeekend, parseDate } from './dates.js';

/** When an invoice is due: after so many days, or on the Monday after them. */
export function dueDate(issued, days = 14) {
  let due = addDays(parseDate(issued), days);
  while (isWeekend(due)) due = addDays(due, 1);
  return formatDate(due);
}

/** Days that an invoice is overdue; 0 when it is not. */
export function overdue(due, today) {
  return Math.max(0, daysBetween(parseDate(due), parseDate(today)));
}
