import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addDays, daysBetween, formatDate, isWeekend, parseDate } from '../dates.js';
import { dueDate, overdue } from '../invoices.js';

test('formatting', () => assert.equal(formatDate(new Date(Date.UTC(2024, 2, 5))), '2024-03-05'));

test('adding days', () => {
  const leapDay = addDays(new Date(Date.UTC(2024, 1, 28)), 1);
  assert.equal(formatDate(leapDay), '2024-02-29');
});

test('weekends', () => {
  assert.equal(isWeekend(new Date(Date.UTC(2024, 5, 1))), true);
  assert.equal(isWeekend(new Date(Date.UTC(2024, 5, 3))), false);
});

test('what is parsed is formatted as it was', () => {
  for (const text of ['2024-03-15', '2024-01-31', '2023-12-01']) {
    assert.equal(formatDate(parseDate(text)), text);
  }
});

test('days between', () => {
  assert.equal(daysBetween(parseDate('2024-02-28'), parseDate('2024-03-01')), 2);
});

test('due dates', () => {
  assert.equal(dueDate('2024-03-15'), '2024-03-29');
  assert.equal(dueDate('2024-03-16'), '2024-04-01');
});

test('overdue', () => {
  assert.equal(overdue('2024-03-29', '2024-04-02'), 4);
  assert.equal(overdue('2024-03-29', '2024-03-20'), 0);
});

test('other texts', () => assert.throws(() => parseDate('15.03.2024'), RangeError));
