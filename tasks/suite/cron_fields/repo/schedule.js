import { parseField } from './fields.js';

const FIELDS = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day', 0, 6], // of the week, Sunday is 0
];

/** A schedule of three fields such as "30 8 1-5"; times are { minute, hour, day }. */
export class Schedule {
  #values = {};

  constructor(text) {
    const parts = text.trim().split(/\s+/);
    if (parts.length !== FIELDS.length) throw new RangeError(`not three fields: ${text}`);
    FIELDS.forEach(([name, min, max], index) => {
      this.#values[name] = parseField(parts[index], min, max);
    });
  }

  due(time) {
    return FIELDS.every(([name]) => this.#values[name].includes(time[name]));
  }

  /** How often it is due in a week. */
  timesPerWeek() {
    return FIELDS.reduce((product, [name]) => product * this.#values[name].length, 1);
  }
}
