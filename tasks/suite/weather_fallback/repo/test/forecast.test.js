import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Forecast } from '../forecast.js';

/** A service that answers once for each city and is down from then on. */
function answersOnce() {
  const asked = new Set();
  return async (city) => {
    if (asked.has(city) || city === 'Atlantis') throw new Error(`no answer about ${city}`);
    asked.add(city);
    return { city, degrees: 21 };
  };
}

test('answers of the service', async () => {
  const forecast = new Forecast(answersOnce());
  assert.deepEqual(await forecast.for('Oslo'), { city: 'Oslo', degrees: 21 });
});

test('the last forecast when the service is down', async () => {
  const forecast = new Forecast(answersOnce());
  await forecast.for('Oslo');
  assert.deepEqual(await forecast.for('Oslo'), { city: 'Oslo', degrees: 21, stale: true });
});

test('no forecast at all', async () => {
  const forecast = new Forecast(answersOnce());
  await assert.rejects(forecast.for('Atlantis'), /no answer about Atlantis/);
});

test('several cities', async () => {
  const forecast = new Forecast(answersOnce());
  await forecast.for('Oslo');
  const [oslo, atlantis, rome] = await forecast.forAll(['Oslo', 'Atlantis', 'Rome']);
  assert.equal(oslo?.stale, true);
  assert.equal(atlantis, null);
  assert.equal(rome.degrees, 21);
});
