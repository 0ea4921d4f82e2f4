import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses, slug } from '../slugs.js';

test('one word', () => assert.equal(slug('Contact'), 'contact'));

test('two words', () => assert.equal(slug('About us'), 'about-us'));

test('several words and signs', () => {
  assert.equal(slug('Tips, tricks and more'), 'tips-tricks-and-more');
  assert.equal(slug('What is new in 2.0?'), 'what-is-new-in-2-0');
});

test('letters with accents', () => assert.equal(slug('Café'), 'cafe'));

test('nothing that can be used', () => assert.equal(slug('???'), 'page'));

test('long titles are cut between words', () => {
  const title = 'A remarkably detailed introduction to gardening';
  assert.equal(slug(title), 'a-remarkably-detailed-introduction-to');
});

test('pages of the same name', () => {
  assert.deepEqual(addresses(['News', 'About', 'news']), ['/news', '/about', '/news-2']);
});
