import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { check } from '../check.js';
import { translate } from '../translate.js';

const english = JSON.parse(readFileSync(new URL('../catalogues/en.json', import.meta.url)));
const polish = {
  language: 'pl',
  texts: {
    files: {
      one: '{count} plik',
      few: '{count} pliki',
      many: '{count} plików',
      other: '{count} pliku',
    },
  },
};
const german = {
  language: 'de',
  texts: { size: '{count} Bytes', rest: { other: 'noch {count}' } },
};

test('plain texts', () => {
  assert.equal(translate(english, 'greeting', { name: 'Ada' }), 'Hello, Ada!');
  assert.equal(translate(english, 'greeting'), 'Hello, {name}!');
});

test('a text that is not there', () => assert.equal(translate(english, 'Save'), 'Save'));

test('mistakes in plain texts', () => {
  const texts = { a: 'open {name', b: 'fine {name}', c: 'close}' };
  assert.deepEqual(check({ language: 'en', texts }), [
    'a: a brace is not closed or not opened: open {name',
    'c: a brace is not closed or not opened: close}',
  ]);
  assert.deepEqual(check({ texts: {} }), ['language is missing']);
});

test('two forms', () => {
  assert.equal(translate(english, 'files', { count: 1 }), '1 file');
  assert.equal(translate(english, 'files', { count: 0 }), '0 files');
});

test('forms of Polish', () => {
  const shown = [1, 3, 5, 22].map((count) => translate(polish, 'files', { count }));
  assert.deepEqual(shown, ['1 plik', '3 pliki', '5 plików', '22 pliki']);
});

test('a form that is missing', () => {
  assert.equal(translate(german, 'rest', { count: 1 }), 'noch 1');
});

test('numbers as the language writes them', () => {
  assert.equal(translate(english, 'size', { count: 12345 }), '12,345 bytes');
  assert.equal(translate(german, 'size', { count: 12345 }), '12.345 Bytes');
});

test('the catalogue of the program', () => {
  let mistakes;
  assert.doesNotThrow(() => {
    mistakes = check(english);
  });
  assert.deepEqual(mistakes, []);
});

test('mistakes in forms', () => {
  const texts = { files: { one: '{count', 'two-ish': 'x' }, days: { other: '{count} days' } };
  let mistakes;
  assert.doesNotThrow(() => {
    mistakes = check({ language: 'en', texts });
  });
  assert.deepEqual(mistakes.sort(), [
    'files: "other" is missing',
    'files: a brace is not closed or not opened: {count',
    'files: no such form: "two-ish"',
  ]);
});
