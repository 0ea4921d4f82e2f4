import { TokenBucket } from './bucket.js';

/** One bucket for each client. */
export class Limiter {
  #options;
  #buckets = new Map();

  constructor(options) {
    this.#options = options;
  }

  allow(client) {
    let bucket = this.#buckets.get(client);
    if (!bucket) {
      bucket = new TokenBucket(this.#options);
      this.#buckets.set(client, bucket);
    }
    return bucket.take();
  }
}
