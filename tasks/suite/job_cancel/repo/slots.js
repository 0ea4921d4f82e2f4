/** Lets a limited number of pieces of work run at the same time; the others wait in a queue. */
export class Slots {
  #free;
  #waiting = [];

  constructor(count) {
    if (!(count >= 1)) throw new RangeError(`not a number of slots: ${count}`);
    this.#free = count;
  }

  /** The result of `work()`, an async function that is called once a slot is free. */
  async use(work) {
    await this.#take();
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  async #take() {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A slot goes straight to who waits longest. */
  #giveBack() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
