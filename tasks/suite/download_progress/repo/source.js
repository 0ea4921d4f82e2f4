/** Tells listeners about one download. */
export class Source {
  #listeners = { progress: [], end: [] };

  constructor(name) {
    this.name = name;
  }

  on(event, listener) {
    if (!(event in this.#listeners)) throw new Error(`no such event: ${event}`);
    this.#listeners[event].push(listener);
    return this;
  }

  report(event, ...values) {
    for (const listener of this.#listeners[event]) {
      listener.call(undefined, this.name, ...values);
    }
  }
}
