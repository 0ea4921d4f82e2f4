import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runAll } from '../jobs.js';
import { report } from '../report.js';
import { Slots } from '../slots.js';

/** Lets everything happen that does not wait for us. */
const settle = () => new Promise((resolve) => setImmediate(resolve, 'still waiting'));

/** Jobs that note when they begin and end when they are told to. */
function makeJobs(count) {
  const begun = [];
  const finish = [];
  const jobs = Array.from({ length: count }, (_, index) => (signal) => {
    begun.push({ index, signal });
    return new Promise((resolve, reject) => {
      finish[index] = { resolve, reject };
    });
  });
  return { jobs, begun, finish };
}

test('as many at a time as there are slots', async () => {
  const { jobs, begun, finish } = makeJobs(4);
  runAll(jobs, 2);
  await settle();
  assert.equal(begun.length, 2);
  finish[0].resolve();
  await settle();
  assert.equal(begun.length, 3);
});

test('what became of each job', async () => {
  const missing = new Error('no such file');
  const failing = async () => {
    throw missing;
  };
  const entries = await runAll([async () => 'a', failing, async () => 'c'], 1);
  assert.deepEqual(entries, [{ value: 'a' }, { error: missing }, { value: 'c' }]);
  assert.deepEqual(report(entries), ['imported 2 of 3', ' - job 2: no such file']);
});

test('at least one slot', () => assert.throws(() => new Slots(0), RangeError));

test('a signal that is never aborted', async () => {
  const { signal } = new AbortController();
  assert.deepEqual(await runAll([async () => 1], 1, { signal }), [{ value: 1 }]);
});

test('jobs that wait are cancelled', async () => {
  const { jobs, begun, finish } = makeJobs(3);
  const controller = new AbortController();
  const entries = runAll(jobs, 1, { signal: controller.signal });
  await settle();
  controller.abort();
  finish[0].resolve('first');
  await settle();
  assert.equal(begun.length, 1);
  assert.deepEqual(await entries, [{ value: 'first' }, { cancelled: true }, { cancelled: true }]);
});

test('running jobs get the signal and may stop', async () => {
  const { jobs, begun, finish } = makeJobs(2);
  const controller = new AbortController();
  const { signal } = controller;
  const entries = runAll(jobs, 2, { signal });
  await settle();
  assert.equal(begun[0].signal, signal);
  controller.abort();
  const broken = new Error('broken');
  finish[0].reject(signal.reason);
  finish[1].reject(broken);
  assert.deepEqual(await entries, [{ cancelled: true }, { error: broken }]);
});

test('aborted before it begins', async () => {
  const { jobs, begun } = makeJobs(2);
  const entries = runAll(jobs, 2, { signal: AbortSignal.abort() });
  const outcome = await Promise.race([entries, settle()]);
  assert.deepEqual(outcome, [{ cancelled: true }, { cancelled: true }]);
  assert.equal(begun.length, 0);
});

test('leaves the queue at once, and the others go on', async () => {
  const { jobs, begun, finish } = makeJobs(3);
  const slots = new Slots(1);
  const controller = new AbortController();
  slots.use(jobs[0]);
  const left = slots.use(jobs[1], controller.signal).catch(() => 'left');
  slots.use(jobs[2]);
  controller.abort();
  assert.equal(await Promise.race([left, settle()]), 'left');
  finish[0].resolve();
  await settle();
  assert.deepEqual(begun.map(({ index }) => index), [0, 2]);
});

test('report', () => {
  const error = new Error('no such file');
  const entries = [{ cancelled: true }, { value: 1 }, { error }, { cancelled: true }];
  assert.deepEqual(report(entries), ['imported 1 of 4, 2 cancelled', ' - job 3: no such file']);
});
