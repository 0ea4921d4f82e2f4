import { formatQuery, parseQuery } from './query.js';

/** The same link with some parameters changed; undefined takes one away. */
export function withParameters(link, changes) {
  const [path, query = ''] = link.split(/\?(.*)/s);
  const parameters = query === '' ? {} : parseQuery(query);
  const changed = formatQuery({ ...parameters, ...changes });
  return changed ? `${path}?${changed}` : path;
}
