import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Router } from '../router.js';

let router;

beforeEach(() => {
  const shown = (name) => (request) => `${name} ${JSON.stringify(request.params)}`;
  router = new Router()
    .add('GET', '/', () => 'home')
    .add('GET', '/users/:id', shown('user'))
    .add('PUT', '/users/:id', shown('change'))
    .add('GET', '/users/me', shown('me'))
    .add('GET', '/users/:id/files/:name', shown('file'));
});

const get = (path) => router.handle({ method: 'GET', path });

test('fixed paths', () => {
  assert.deepEqual(get('/'), { status: 200, headers: {}, body: 'home' });
});

test('nothing there', () => {
  assert.equal(get('/nowhere').status, 404);
  assert.equal(get('/nowhere').body, 'nothing at /nowhere');
});

test('the request reaches the handler', () => {
  router.add('POST', '/echo', (request) => request.text);
  assert.equal(router.handle({ method: 'POST', path: '/echo/', text: 'hello' }).body, 'hello');
});

test('one parameter', () => assert.equal(get('/users/7').body, 'user {"id":"7"}'));

test('two parameters, decoded', () => {
  assert.equal(get('/users/7/files/a%20b').body, 'file {"id":"7","name":"a b"}');
});

test('an encoded slash stays in its part', () => {
  assert.equal(get('/users/a%2Fb').body, 'user {"id":"a/b"}');
});

test('fixed parts go first', () => assert.equal(get('/users/me').body, 'me {}'));

test('parameters are whole parts', () => {
  assert.equal(get('/users/7/files').status, 404);
  assert.equal(get('/users//files/a').status, 404);
});

test('wrong method', () => {
  const expected = { status: 405, headers: { allow: 'GET, PUT' }, body: '' };
  assert.deepEqual(router.handle({ method: 'DELETE', path: '/users/7' }), expected);
});

test('a method that only the less exact path has', () => {
  assert.equal(router.handle({ method: 'PUT', path: '/users/me' }).body, 'change {"id":"me"}');
});

test('not validly encoded', () => assert.equal(get('/users/%E0%A4%A').status, 400));
