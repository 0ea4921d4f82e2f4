/** A bucket that fills with `perSecond` tokens a second, up to `capacity`; it begins full. */
export class TokenBucket {
  #capacity;
  #perSecond;
  #now;
  #tokens;
  #filledAt;

  /** `now()` is the time in ms. */
  constructor({ capacity, perSecond, now = Date.now }) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = capacity;
    this.#filledAt = now();
  }

  /** Takes tokens out, if there are so many; says whether it did. */
  take(count = 1) {
    this.#fill();
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Whole tokens that could be taken now. */
  get available() {
    this.#fill();
    return Math.floor(this.#tokens);
  }

  #fill() {
    const now = this.#now();
    this.#tokens += Math.floor(((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
