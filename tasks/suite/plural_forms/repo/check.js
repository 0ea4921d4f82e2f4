/** The mistakes of a catalogue, as texts; none when it can be used. */
export function check({ language, texts }) {
  const mistakes = [];
  if (Intl.getCanonicalLocales(language ?? []).length !== 1) mistakes.push('language is missing');
  for (const [key, text] of Object.entries(texts)) mistakes.push(...checkText(key, text));
  return mistakes;
}

function checkText(key, text) {
  const left = text.replace(/\{\w+\}/g, '');
  return /[{}]/.test(left) ? [`${key}: a brace is not closed or not opened: ${text}`] : [];
}
