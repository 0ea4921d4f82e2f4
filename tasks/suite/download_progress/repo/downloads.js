/** What a page shows about several downloads. */
export class Downloads {
  constructor() {
    this.shares = new Map();
    this.done = 0;
  }

  add(source) {
    this.shares.set(source.name, 0);
    source.on('progress', this.onProgress);
    source.on('end', () => this.onEnd());
  }

  onProgress(name, bytes, total) {
    this.shares.set(name, total > 0 ? bytes / total : 0);
  }

  onEnd() {
    this.done += 1;
  }

  /** The share of everything that has been downloaded, in whole percent. */
  percent() {
    if (this.shares.size === 0) return 0;
    const sum = [...this.shares.values()].reduce((total, share) => total + share, 0);
    return Math.floor((100 * sum) / this.shares.size);
  }

  status() {
    return `${this.done} of ${this.shares.size} done, ${this.percent()}%`;
  }
}
