import { LineDecoder } from './decoder.js';

export class Client {
  #write;
  #decoder = new LineDecoder();
  #open = [];
  #closed = false;

  /** `write(text)` sends to the server; what it answers is to be given to `receive`. */
  constructor(write) {
    this.#write = write;
  }

  /** Promises the result of a request. */
  request(method, params = {}) {
    if (this.#closed) return Promise.reject(new Error('connection closed'));
    return new Promise((resolve, reject) => {
      this.#open.push({ resolve, reject });
      this.#write(`${JSON.stringify({ method, params })}\n`);
    });
  }

  receive(chunk) {
    for (const { result, error } of this.#decoder.push(chunk)) {
      const request = this.#open.shift();
      if (error === undefined) request.resolve(result);
      else request.reject(new Error(error));
    }
  }

  close() {
    this.#closed = true;
  }
}
