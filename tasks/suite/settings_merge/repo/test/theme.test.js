import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { merge } from '../merge.js';
import { DEFAULTS, readTheme } from '../theme.js';

afterEach(() => {
  delete Object.prototype.admin;
});

test('plain values replace', () => {
  assert.equal(readTheme('{"title": "Mine"}').title, 'Mine');
});

test('objects are merged', () => {
  const { colours } = readTheme('{"colours": {"text": "#000000"}}');
  assert.deepEqual(colours, { text: '#000000', background: '#ffffff' });
});

test('settings that are no object', () => assert.throws(() => readTheme('[]'), TypeError));

test('new objects', () => {
  assert.deepEqual(merge({}, { a: { b: { c: 1 } } }), { a: { b: { c: 1 } } });
});

test('arguments stay as they are', () => {
  const changes = { colours: { text: '#000000' } };
  merge(DEFAULTS, changes).colours.text = 'red';
  assert.equal(DEFAULTS.colours.text, '#222222');
  assert.equal(changes.colours.text, '#000000');
});

test('null replaces', () => {
  assert.equal(readTheme('{"banner": null}').banner, null);
  assert.deepEqual(merge({ a: null }, { a: { b: 1 } }), { a: { b: 1 } });
});

test('objects replace what is none', () => {
  assert.deepEqual(merge({ a: 5 }, { a: { b: 1 } }), { a: { b: 1 } });
});

test('lists replace, as a copy', () => {
  const changes = { fonts: ['Serif'] };
  const merged = merge(DEFAULTS, changes);
  assert.deepEqual(merged.fonts, ['Serif']);
  merged.fonts.push('x');
  assert.deepEqual(changes.fonts, ['Serif']);
});

test('prototypes cannot be changed', () => {
  const evil = '"__proto__": {"admin": true}';
  const theme = readTheme(`{${evil}, "colours": {${evil}}}`);
  assert.equal({}.admin, undefined);
  assert.equal(theme.admin, undefined);
  assert.equal(theme.colours.admin, undefined);
});

test('nor through the constructor', () => {
  const theme = readTheme('{"a": {"constructor": {"prototype": {"admin": true}}}}');
  assert.deepEqual(theme.a, {});
  assert.equal({}.admin, undefined);
});
