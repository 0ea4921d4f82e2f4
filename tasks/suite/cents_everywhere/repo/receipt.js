import { formatAmount } from './money.js';

const WIDTH = 24;

function line(text, amount) {
  const shown = Number(formatAmount(amount)).toFixed(2);
  return text.padEnd(WIDTH - shown.length) + shown;
}

/** The receipt's lines, all equally wide. */
export function receipt(basket) {
  const lines = basket.lines().map(({ article, amount }) => line(article, amount));
  if (basket.saved() !== 0) lines.push(line('discount', -basket.saved()));
  return [...lines, '-'.repeat(WIDTH), line('total', basket.total())];
}
