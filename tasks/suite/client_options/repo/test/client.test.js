import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client } from '../client.js';
import { complete } from '../options.js';

/** A client whose server gives these answers, the last one again and again; and what was sent. */
function make(...answers) {
  const sent = [];
  const client = new Client(async (url, options) => {
    const answer = answers[Math.min(sent.length, answers.length - 1)];
    sent.push({ url, ...options });
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { client, sent };
}

test('answer', async () => {
  const { client, sent } = make({ status: 200, body: 'hello' });
  assert.equal(await client.get('/a', { headers: { Accept: 'text/plain' } }), 'hello');
  assert.deepEqual(sent, [{ url: '/a', timeout: 10_000, headers: { accept: 'text/plain' } }]);
});

test('three retries by default', async () => {
  const { client, sent } = make({ status: 503 });
  await assert.rejects(client.get('/a'), /status 503/);
  assert.equal(sent.length, 4);
});

test('success after failures', async () => {
  const { client } = make(new Error('reset'), { status: 500 }, { status: 200, body: 'late' });
  assert.equal(await client.get('/a', { retries: 2 }), 'late');
});

test('no retries', async () => {
  const { client, sent } = make(new Error('reset'));
  await assert.rejects(client.get('/a', { retries: 0 }), /reset/);
  assert.equal(sent.length, 1);
});

test('a mistake of ours is not tried again', async () => {
  const { client, sent } = make({ status: 404 });
  await assert.rejects(client.get('/a'), /status 404/);
  assert.equal(sent.length, 1);
});

test('options that make no sense', () => {
  assert.throws(() => complete({ retries: -1 }), /retries: -1/);
  assert.throws(() => complete({ timeout: 0 }), /timeout: 0/);
});
