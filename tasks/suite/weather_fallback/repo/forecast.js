/** Forecasts of a service, and the last known ones for when it does not answer. */
export class Forecast {
  #fetch;
  #last = new Map();

  /** `fetch(city)` promises a forecast, an object. */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** The forecast; the last known one with `stale: true` when the service fails. */
  async for(city) {
    try {
      return this.#ask(city);
    } catch (error) {
      const last = this.#last.get(city);
      if (last === undefined) throw error;
      return { ...last, stale: true };
    }
  }

  /** The forecasts of several cities; null where there is none. */
  async forAll(cities) {
    const answers = await Promise.allSettled(cities.map((city) => this.for(city)));
    return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : null));
  }

  async #ask(city) {
    const forecast = await this.#fetch(city);
    this.#last.set(city, forecast);
    return forecast;
  }
}
