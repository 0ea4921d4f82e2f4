/** Decodes %XX; a text that is not validly encoded stays as it is. */
export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The parameters of a query, with or without "?"; one that is repeated is a list. */
export function parseQuery(query) {
  const result = {};
  for (const part of query.replace(/^\?/, '').split('&')) {
    const [name, value] = part.split('=');
    result[name] = value && decodeURIComponent(value);
  }
  return result;
}

/** The opposite: { tag: ['a', 'b'], page: 2 } -> "tag=a&tag=b&page=2"; leaves out undefined. */
export function formatQuery(parameters) {
  return Object.entries(parameters)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
    .filter(([, value]) => value !== undefined)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&');
}
