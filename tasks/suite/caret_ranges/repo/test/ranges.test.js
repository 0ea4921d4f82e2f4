import assert from 'node:assert/strict';
import { test } from 'node:test';

import { highest, satisfies } from '../ranges.js';

/** Which of the versions are in the range. */
function accepted(range, ...versions) {
  return versions.filter((version) => satisfies(version, range));
}

test('exactly one version', () => {
  assert.deepEqual(accepted('1.2.3', '1.2.2', '1.2.3', '1.2.4'), ['1.2.3']);
});

test('caret from 1.0.0 on', () => {
  assert.deepEqual(accepted('^1.2.3', '1.2.2', '1.2.3', '1.10.0', '2.0.0'), ['1.2.3', '1.10.0']);
});

test('one or the other', () => {
  assert.deepEqual(accepted('^1.0.0 || 3.0.0', '1.5.0', '2.0.0', '3.0.0'), ['1.5.0', '3.0.0']);
});

test('not a version', () => assert.throws(() => satisfies('1.2', '^1.0.0'), SyntaxError));

test('caret below 1.0.0', () => {
  assert.deepEqual(accepted('^0.2.3', '0.2.2', '0.2.9', '0.3.0', '0.9.0'), ['0.2.9']);
});

test('caret below 0.1.0', () => {
  assert.deepEqual(accepted('^0.0.3', '0.0.2', '0.0.3', '0.0.4', '0.1.0'), ['0.0.3']);
});

test('tilde', () => {
  assert.deepEqual(accepted('~1.2.3', '1.2.2', '1.2.9', '1.3.0'), ['1.2.9']);
  assert.deepEqual(accepted('~0.0.3', '0.0.9', '0.1.0'), ['0.0.9']);
});

test('highest', () => {
  assert.equal(highest(['0.2.4', '0.2.10', '0.3.0'], '^0.2.0'), '0.2.10');
  assert.equal(highest(['1.0.0'], '^2.0.0'), undefined);
});
