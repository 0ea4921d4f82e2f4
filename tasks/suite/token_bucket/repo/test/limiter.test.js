import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { TokenBucket } from '../bucket.js';
import { Limiter } from '../limiter.js';

let time;
const now = () => time;

beforeEach(() => {
  time = 1_000_000;
});

function bucket(capacity, perSecond) {
  return new TokenBucket({ capacity, perSecond, now });
}

/** How many of `count` requests, one every `interval` ms, get through. */
function allowed(limited, count, interval) {
  let passed = 0;
  for (let i = 0; i < count; i++) {
    time += interval;
    if (limited.take()) passed += 1;
  }
  return passed;
}

test('begins full', () => {
  assert.equal(bucket(3, 1).available, 3);
  assert.equal(allowed(bucket(3, 1), 5, 0), 3);
});

test('asking every second', () => {
  const limited = bucket(2, 2);
  allowed(limited, 2, 0);
  assert.equal(allowed(limited, 10, 1000), 10);
});

test('clients do not share', () => {
  const limiter = new Limiter({ capacity: 1, perSecond: 1, now });
  assert.deepEqual(['a', 'a', 'b'].map((client) => limiter.allow(client)), [true, false, true]);
});

test('several at once, or none', () => {
  const limited = bucket(3, 1);
  assert.equal(limited.take(4), false);
  assert.equal(limited.take(3), true);
});

test('asking often', () => {
  const limited = bucket(10, 2);
  allowed(limited, 10, 0);
  const passed = allowed(limited, 100, 125);
  assert.equal(passed, 25);
});

test('never more than its capacity', () => {
  const limited = bucket(10, 2);
  time += 3_600_000;
  assert.equal(limited.available, 10);
});

test('a clock that goes back', () => {
  const limited = bucket(4, 1);
  limited.take(2);
  time -= 60_000;
  assert.equal(limited.available, 2);
  time += 1000;
  assert.equal(limited.available, 3);
});
