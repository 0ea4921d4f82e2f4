const LONGEST = 40;

/** A title as part of an address: lower-case letters and digits, with dashes in the gaps. */
export function slug(title) {
  const plain = title
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/, '-')
    .replace(/^-|-$/g, '');
  return shorten(plain) || 'page';
}

/** At most LONGEST characters, cut between words where possible. */
function shorten(text) {
  if (text.length <= LONGEST) return text;
  const cut = text.lastIndexOf('-', LONGEST);
  return text.slice(0, cut > 0 ? cut : LONGEST);
}

/** The addresses of pages; a second page of the same name gets a number. */
export function addresses(titles) {
  const taken = new Map();
  return titles.map((title) => {
    const name = slug(title);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? `/${name}` : `/${name}-${count}`;
  });
}
