import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Client } from '../client.js';
import { LineDecoder } from '../decoder.js';

const line = (value) => Buffer.from(`${JSON.stringify(value)}\n`);

describe('decoder', () => {
  it('takes several lines', () => {
    assert.deepEqual(new LineDecoder().push(Buffer.from('1\n{"a":2}\n')), [1, { a: 2 }]);
  });

  it('waits for the end of a line', () => {
    const decoder = new LineDecoder();
    const values = ['{"a"', ':1}', '\n2\n3', '\n'].map((text) => {
      try {
        return decoder.push(Buffer.from(text));
      } catch (error) {
        return error.name;
      }
    });
    assert.deepEqual(values, [[], [], [{ a: 1 }, 2], [3]]);
  });

  it('waits for the rest of a character', () => {
    const decoder = new LineDecoder();
    const values = [];
    assert.doesNotThrow(() => {
      for (const byte of line('5 €')) values.push(...decoder.push(Buffer.from([byte])));
    });
    assert.deepEqual(values, ['5 €']);
  });

  it('ignores empty lines', () => {
    let values;
    assert.doesNotThrow(() => {
      values = new LineDecoder().push(Buffer.from('\n\r\n1\n\n'));
    });
    assert.deepEqual(values, [1]);
  });
});

describe('client', () => {
  let sent;
  let client;

  beforeEach(() => {
    sent = [];
    client = new Client((text) => sent.push(JSON.parse(text)));
  });

  it('answers a request', async () => {
    const answer = client.request('add', { a: 1 });
    client.receive(line({ id: 1, result: 3 }));
    assert.equal(await answer, 3);
    assert.equal(sent[0].method, 'add');
    assert.deepEqual(sent[0].params, { a: 1 });
  });

  it('rejects when the server reports an error', async () => {
    const answer = client.request('divide');
    client.receive(line({ id: 1, error: 'by zero' }));
    await assert.rejects(answer, /^Error: by zero$/);
  });

  it('numbers its requests', () => {
    client.request('one');
    client.request('two');
    assert.deepEqual(sent.map(({ id }) => id), [1, 2]);
  });

  it('matches answers by number', async () => {
    const answers = [client.request('slow'), client.request('fast')];
    client.receive(line({ id: 2, result: 'fast' }));
    client.receive(line({ id: 1, result: 'slow' }));
    assert.deepEqual(await Promise.all(answers), ['slow', 'fast']);
  });

  it('ignores answers that nobody waits for', async () => {
    const answer = client.request('one');
    client.receive(line({ id: 9, result: 'other' }));
    client.receive(line({ id: 1, result: 'mine' }));
    assert.equal(await answer, 'mine');
  });

  it('rejects what is open when it is closed', async () => {
    const answer = client.request('never');
    client.close();
    const late = new Promise((resolve) => setImmediate(resolve, 'still open'));
    const outcome = await Promise.race([answer.catch((error) => error.message), late]);
    assert.equal(outcome, 'connection closed');
  });

  it('refuses requests after that', async () => {
    client.close();
    await assert.rejects(client.request('late'), /connection closed/);
  });
});
