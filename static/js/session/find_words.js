/** Words within a text, whatever their case and accents. Pure. */

export const MOST_PLACES = 500;

/**
 * @param {string} text
 * @param {string} wanted
 * @returns {{start: number, end: number}[]}  where it is in the text, without overlaps, at most `MOST_PLACES`
 */
export function placesOf(text, wanted) {
  const needle = folded(wanted.trim()).letters;
  if (!needle) return [];
  const { letters, from } = folded(text);
  const places = [];
  for (let at = letters.indexOf(needle); at >= 0 && places.length < MOST_PLACES; at = letters.indexOf(needle, at + needle.length)) {
    places.push({ start: from[at], end: from[at + needle.length] });
  }
  return places;
}

/** `from`: where each letter is in the text, and where that ends. An accent belongs to the letter before it. */
function folded(text) {
  const from = [];
  let letters = "";
  let at = 0;
  for (const character of text) {
    const plain = character.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    for (let index = 0; index < plain.length; index += 1) from.push(at);
    letters += plain;
    at += character.length;
  }
  from.push(at);
  return { letters, from };
}
