import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Downloads } from '../downloads.js';
import { Source } from '../source.js';

describe('downloads', () => {
  let downloads;
  let film;
  let song;

  beforeEach(() => {
    downloads = new Downloads();
    film = new Source('film');
    song = new Source('song');
    downloads.add(film);
    downloads.add(song);
  });

  it('has nothing at first', () => {
    assert.equal(new Downloads().status(), '0 of 0 done, 0%');
    assert.equal(downloads.status(), '0 of 2 done, 0%');
  });

  it('counts what has ended', () => {
    song.report('end');
    assert.equal(downloads.done, 1);
  });

  it('shows progress', () => {
    film.report('progress', 50, 200);
    assert.equal(downloads.percent(), 12);
    song.report('progress', 10, 10);
    assert.equal(downloads.percent(), 62);
  });

  it('copes with an unknown size', () => {
    film.report('progress', 50, 0);
    assert.equal(downloads.percent(), 0);
  });

  it('knows two events', () => {
    assert.throws(() => film.on('start', () => {}), /no such event: start/);
  });
});
