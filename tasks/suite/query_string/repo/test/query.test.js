import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withParameters } from '../links.js';
import { formatQuery, parseQuery } from '../query.js';

test('plain parameters', () => {
  assert.deepEqual(parseQuery('?page=2&sort=name'), { page: '2', sort: 'name' });
});

test('encoded values', () => assert.deepEqual(parseQuery('q=a%26b'), { q: 'a&b' }));

test('formatting', () => {
  assert.equal(formatQuery({ tag: ['a', 'b'], page: 2, q: 'x y', none: undefined }),
    'tag=a&tag=b&page=2&q=x%20y');
});

test('changing a link', () => {
  assert.equal(withParameters('/list?page=2&sort=name', { page: 3 }), '/list?page=3&sort=name');
  assert.equal(withParameters('/list?page=2', { page: undefined }), '/list');
  assert.equal(withParameters('/list', { page: 1 }), '/list?page=1');
});

test('repeated parameters', () => {
  assert.deepEqual(parseQuery('tag=a&tag=b&tag=c&x=1'), { tag: ['a', 'b', 'c'], x: '1' });
});

test('plus is a blank', () => {
  assert.deepEqual(parseQuery('q=red+shoes&r=1%2B1'), { q: 'red shoes', r: '1+1' });
});

test('equals signs in values', () => assert.deepEqual(parseQuery('expr=a=b'), { expr: 'a=b' }));

test('no value', () => assert.deepEqual(parseQuery('debug&x='), { debug: '', x: '' }));

test('a lone percent sign', () => assert.deepEqual(parseQuery('q=100%'), { q: '100%' }));

test('encoded names', () => {
  assert.deepEqual(parseQuery('first%20name=Ada'), { 'first name': 'Ada' });
});

test('empty parts', () => {
  assert.deepEqual(parseQuery(''), {});
  assert.deepEqual(parseQuery('a=1&&b=2&'), { a: '1', b: '2' });
});

test('names that objects have anyway', () => {
  assert.deepEqual(parseQuery('toString=1'), { toString: '1' });
});
