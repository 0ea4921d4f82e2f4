import assert from 'node:assert/strict';
import { test } from 'node:test';

import { diff } from '../diff.js';
import { edits } from '../edits.js';

/** Lines 1 to `count`, some of them replaced. */
function text(count, changes = {}) {
  return Array.from({ length: count }, (_, i) => `${changes[i + 1] ?? i + 1}\n`).join('');
}

/** The diff of lines 1 to `count` and the same with changes: without the names. */
function shown(count, changes, options) {
  return diff(text(count), text(count, changes), options).split('\n').slice(2, -1);
}

test('no difference', () => assert.equal(diff('a\nb\n', 'a\nb\n'), ''));

test('edits', () => {
  const found = edits(['a', 'b', 'c'], ['b', 'x', 'c', 'd']);
  const types = found.map(({ type, line }) => type[0] + line);
  assert.deepEqual(types, ['ra', 'sb', 'ax', 'sc', 'ad']);
});

test('one change in the middle', () => {
  assert.equal(
    diff(text(9), text(9, { 5: 'x' }), { oldName: 'a', newName: 'b' }),
    '--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n',
  );
});

test('changes far from each other', () => {
  const lines = shown(20, { 5: 'x', 15: 'y' });
  assert.deepEqual(lines.filter((line) => line.startsWith('@@')), [
    '@@ -2,7 +2,7 @@',
    '@@ -12,7 +12,7 @@',
  ]);
});

test('seven lines between changes', () => {
  const lines = shown(20, { 5: 'x', 13: 'y' });
  assert.deepEqual(lines.filter((line) => line.startsWith('@@')), [
    '@@ -2,7 +2,7 @@',
    '@@ -10,7 +10,7 @@',
  ]);
});

test('six lines between changes', () => {
  const lines = shown(20, { 5: 'x', 12: 'y' });
  assert.deepEqual(lines.filter((line) => line.startsWith('@@')), ['@@ -2,14 +2,14 @@']);
  assert.equal(lines.filter((line) => line === ' 8').length, 1);
});

test('three changes in a row of hunks', () => {
  const lines = shown(12, { 4: 'x', 6: 'y', 9: 'z' }, { context: 1 });
  assert.deepEqual(lines, [
    '@@ -3,8 +3,8 @@', ' 3', '-4', '+x', ' 5', '-6', '+y', ' 7', ' 8', '-9', '+z', ' 10',
  ]);
});

test('without context', () => {
  assert.deepEqual(shown(3, { 1: 'x', 3: 'y' }, { context: 0 }), [
    '@@ -1,1 +1,1 @@', '-1', '+x', '@@ -3,1 +3,1 @@', '-3', '+y',
  ]);
});

test('change of the first line', () => {
  assert.deepEqual(shown(3, { 1: 'x' }), ['@@ -1,3 +1,3 @@', '-1', '+x', ' 2', ' 3']);
});

test('change of the second and the last line', () => {
  assert.deepEqual(shown(9, { 2: 'x', 9: 'y' }, { context: 2 }), [
    '@@ -1,4 +1,4 @@', ' 1', '-2', '+x', ' 3', ' 4', '@@ -7,3 +7,3 @@', ' 7', ' 8', '-9', '+y',
  ]);
});

test('new file', () => assert.match(diff('', 'a\nb\n'), /^@@ -0,0 \+1,2 @@\n\+a\n\+b\n$/m));

test('deleted file', () => assert.match(diff('a\n', ''), /^@@ -1,1 \+0,0 @@\n-a\n$/m));
