import { parseAmount } from './money.js';

export class Basket {
  #lines = [];
  #discount = 0;

  /** The price is that of one piece, as text. */
  add(article, price, quantity = 1) {
    this.#lines.push({ article, price: parseAmount(price), quantity });
  }

  set discount(percent) {
    if (!(percent >= 0 && percent <= 100)) throw new RangeError(`not a percentage: ${percent}`);
    this.#discount = percent;
  }

  /** [{ article, amount }], without the discount. */
  lines() {
    return this.#lines.map(({ article, price, quantity }) => ({
      article: quantity === 1 ? article : `${quantity} x ${article}`,
      amount: price * quantity,
    }));
  }

  /** What the discount takes off. */
  saved() {
    return (this.#sum() * this.#discount) / 100;
  }

  total() {
    return this.#sum() - this.saved();
  }

  #sum() {
    return this.lines().reduce((sum, { amount }) => sum + amount, 0);
  }
}
