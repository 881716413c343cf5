/**
 * Words in the language of the page. Its catalogue, a script of the server, stands before all modules; in English, and
 * where it could not be loaded, there is none, and things are said as they are written here.
 */

const catalogue = globalThis.django;

/** @type {(text: string) => string} */
export const gettext = catalogue?.gettext ?? ((text) => text);

/** @type {(context: string, text: string) => string}  for one word that means several things */
export const pgettext = catalogue?.pgettext ?? ((context, text) => text);

/** @type {(singular: string, plural: string, count: number) => string} */
export const ngettext = catalogue?.ngettext ?? ((singular, plural, count) => (count === 1 ? singular : plural));

/**
 * @param {string} text  with names in it, such as "%(minutes)s minutes"
 * @param {{[name: string]: string | number}} values
 * @returns {string}  a name without a value stays as it is; "%%" is a sign by itself
 */
export function interpolate(text, values) {
  return text.replace(/%%|%\((\w+)\)[sd]/g, (found, name) => (found === "%%" ? "%" : String(values[name] ?? found)));
}

/**
 * @param {string} text  with names in it
 * @param {{[name: string]: string | Node}} parts
 * @returns {(string | Node)[]}  the sentence with these in the places of their names, for an element's children
 */
export function assembled(text, parts) {
  return text.split(/%\((\w+)\)s/).map((part, place) => (place % 2 ? parts[part] : part));
}

const language = globalThis.document?.documentElement.lang || "en";

/** For dates and numbers. English pages write them as in Britain. */
export const locale = language === "en" ? "en-GB" : language;
