import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseField } from '../fields.js';
import { Schedule } from '../schedule.js';

test('all values', () => assert.deepEqual(parseField('*', 0, 4), [0, 1, 2, 3, 4]));

test('lists', () => assert.deepEqual(parseField('30,0,30', 0, 59), [0, 30]));

test('due', () => {
  const schedule = new Schedule('0,30 8 *');
  assert.equal(schedule.due({ minute: 30, hour: 8, day: 2 }), true);
  assert.equal(schedule.due({ minute: 30, hour: 9, day: 2 }), false);
  assert.equal(schedule.timesPerWeek(), 14);
});

test('three fields', () => assert.throws(() => new Schedule('* *'), /not three fields: \* \*/));

test('ranges', () => {
  assert.deepEqual(parseField('1-5', 0, 6), [1, 2, 3, 4, 5]);
  assert.deepEqual(parseField('1-3,6,2', 0, 6), [1, 2, 3, 6]);
  assert.deepEqual(parseField('4-4', 0, 6), [4]);
});

test('steps', () => {
  assert.deepEqual(parseField('*/15', 0, 59), [0, 15, 30, 45]);
  assert.deepEqual(parseField('10-30/5', 0, 59), [10, 15, 20, 25, 30]);
  assert.deepEqual(parseField('20/15', 0, 59), [20, 35, 50]);
  assert.deepEqual(parseField('*/2', 1, 6), [1, 3, 5]);
});

const refused = ['70', '5-70', '5-1', '*/0', '1-', '-1', 'x', '1,,2', '', '1.5', '1/2/3', '*-5'];
for (const text of refused) {
  test(`refuses '${text}'`, () => {
    assert.throws(() => parseField(text, 0, 59), (error) =>
      error instanceof RangeError && error.message.includes(text));
  });
}

test('on working days', () => {
  assert.equal(new Schedule('*/20 8-17 1-5').timesPerWeek(), 150);
});
