import { Pattern } from './pattern.js';

export class Router {
  #routes = [];

  /** `handler(request)` returns the body of the answer. */
  add(method, path, handler) {
    this.#routes.push({ method, pattern: new Pattern(path), handler });
    return this;
  }

  /** The answer { status, headers, body } to a request { method, path }. */
  handle(request) {
    const route = this.#routes.find(
      ({ method, pattern }) => method === request.method && pattern.match(request.path),
    );
    if (!route) return answer(404, `nothing at ${request.path}`);
    return answer(200, route.handler(request));
  }
}

function answer(status, body) {
  return { status, headers: {}, body };
}
