/** A fixed path such as "/users/me". */
export class Pattern {
  #path;

  constructor(path) {
    this.#path = trim(path);
  }

  match(path) {
    return trim(path) === this.#path;
  }
}

function trim(path) {
  return path.replace(/^\/|\/$/g, '');
}
