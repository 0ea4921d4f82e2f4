/** A text of a catalogue ({ language, texts }) with its {names} filled in. A text that is not
 * there is its own key. */
export function translate({ texts }, key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
