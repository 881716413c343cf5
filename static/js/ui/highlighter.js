/** Code with its parts marked. It is large, so it is imported where there is code alone. */

import highlighter from "../../vendor/highlight-11.12.0/highlight.min.js";
import { DOMPurify } from "../helpers/sanitizer.js";

const MARKS = { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true };

/**
 * @param {string} code
 * @param {string} language  by any of its names
 * @returns {DocumentFragment | null}  the same text in elements with classes; null for a language that is not known
 */
export function highlighted(code, language) {
  if (!highlighter.getLanguage(language)) return null;
  return DOMPurify.sanitize(highlighter.highlight(code, { language, ignoreIllegals: true }).value, MARKS);
}
