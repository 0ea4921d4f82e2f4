/** What is known about the response times (in ms) of one path. */
export class ResponseTimes {
  #times = [];
  #sorted = true;

  add(milliseconds) {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) {
      throw new RangeError(`not a response time: ${milliseconds}`);
    }
    this.#times.push(milliseconds);
    this.#sorted = false;
  }

  get count() {
    return this.#times.length;
  }

  mean() {
    return this.#times.reduce((sum, time) => sum + time, 0) / this.count;
  }

  /** The smallest time that at least `share` (above 0, up to 1) of all requests do not pass. */
  percentile(share) {
    if (this.count === 0) return NaN;
    if (!this.#sorted) {
      this.#times.sort();
      this.#sorted = true;
    }
    return this.#times[Math.ceil(share * this.count) - 1];
  }
}

/** One line of the dashboard. */
export function summary(path, times) {
  if (times.count === 0) return `${path}: no requests`;
  const shown = [0.5, 0.95].map((share) => `p${share * 100} ${times.percentile(share)} ms`);
  return `${path}: ${times.count} requests, ${shown.join(', ')}`;
}
