import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Basket } from '../basket.js';
import { formatAmount, parseAmount } from '../money.js';
import { receipt } from '../receipt.js';

function basketOf(...lines) {
  const basket = new Basket();
  for (const line of lines) basket.add(...line);
  return basket;
}

test('what is no amount', () => {
  for (const text of ['', 'x', '1.155', '1,15', '1.', '.5', '1e3', '--1']) {
    assert.throws(() => parseAmount(text), RangeError, text);
  }
});

test('receipt', () => {
  assert.deepEqual(receipt(basketOf(['tea', '2.50'], ['cup', '7', 2])), [
    'tea                 2.50',
    '2 x cup            14.00',
    '------------------------',
    'total              16.50',
  ]);
});

test('no such discount', () => {
  assert.throws(() => {
    new Basket().discount = 101;
  }, RangeError);
});

test('parsing to cents', () => {
  const texts = ['1.15', '7', '7.5', '-0.05', '0.07', '1234567.89'];
  assert.deepEqual(texts.map(parseAmount), [115, 700, 750, -5, 7, 123456789]);
});

test('formatting cents', () => {
  const amounts = [115, 700, 5, 0, -5, -115, 123456789];
  assert.deepEqual(amounts.map(formatAmount),
    ['1.15', '7.00', '0.05', '0.00', '-0.05', '-1.15', '1234567.89']);
});

test('total in cents', () => {
  assert.equal(basketOf(['a', '0.10'], ['b', '0.20']).total(), 30);
  assert.equal(basketOf(['a', '1.15', 3]).total(), 345);
});

test('discounts are whole cents', () => {
  const basket = basketOf(['a', '0.99']);
  basket.discount = 10;
  assert.equal(basket.total(), 89);
});

test('half a cent is the shop\'s', () => {
  const basket = basketOf(['a', '0.50']);
  basket.discount = 5;
  assert.equal(basket.saved(), 2);
  assert.equal(basket.total(), 48);
});

test('receipt with a discount', () => {
  const basket = basketOf(['tea', '2.50'], ['cup', '7', 2]);
  basket.discount = 15;
  assert.deepEqual(receipt(basket).slice(2), [
    'discount           -2.47',
    '------------------------',
    'total              14.03',
  ]);
});
