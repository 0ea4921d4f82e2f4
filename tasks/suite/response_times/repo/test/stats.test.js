import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ResponseTimes, summary } from '../stats.js';

function of(...milliseconds) {
  const times = new ResponseTimes();
  milliseconds.forEach((time) => times.add(time));
  return times;
}

test('mean', () => assert.equal(of(1, 2, 6).mean(), 3));

test('percentiles of times with equally many digits', () => {
  assert.equal(of(30, 10, 20).percentile(0.5), 20);
  assert.equal(of(30, 10, 20).percentile(1), 30);
});

test('percentiles of times with different numbers of digits', () => {
  assert.equal(of(9, 10, 100, 8).percentile(0.5), 9);
  assert.equal(of(9, 10, 100, 8).percentile(1), 100);
});

test('times added after a look', () => {
  const times = of(20, 5);
  times.percentile(0.5);
  times.add(1);
  assert.equal(times.percentile(0.5), 5);
});

test('summary', () => {
  assert.equal(summary('/', of()), '/: no requests');
  assert.equal(summary('/', of(7)), '/: 1 requests, p50 7 ms, p95 7 ms');
});

test('refuses what is no time', () => {
  assert.throws(() => of(-1), RangeError);
  assert.throws(() => of(NaN), RangeError);
});
