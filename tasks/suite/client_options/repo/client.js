import { complete } from './options.js';

export class Client {
  #send;

  /** `send(url, { timeout, headers })` promises { status, body } or fails. */
  constructor(send) {
    this.#send = send;
  }

  /** The body. Failures and answers from 500 on are tried again, up to `retries` times. */
  async get(url, options) {
    const { retries, ...rest } = complete(options);
    for (let attempt = 0; ; attempt++) {
      const last = attempt === retries;
      let answer;
      try {
        answer = await this.#send(url, rest);
      } catch (error) {
        if (last) throw error;
        continue;
      }
      if (answer.status < 400) return answer.body;
      if (answer.status < 500 || last) throw new Error(`${url}: status ${answer.status}`);
    }
  }
}
