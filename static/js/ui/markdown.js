/** Markdown of the model as elements. What a model writes is input like any other: it is sanitised, and nothing in it loads. */

// HTML is no part of this Markdown. What is sanitised is parsed before, into a document that has the page's policy: every
// style and handler in it would be refused there, with a line in the console and a report.

import DOMPurify from "../../vendor/dompurify-3.4.18/purify.es.js";
import { Marked } from "../../vendor/marked-18.2.1/marked.esm.js";

const ALLOWED = {
  ALLOWED_TAGS: [
    ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
    ...["h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  ALLOWED_ATTR: ["href", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Each is read in the direction of its own script. */
const BLOCKS = "p, li, blockquote, h3, h4, h5, h6, th, td";

const markdown = new Marked({
  gfm: true,
  breaks: true,
  // The page's own headings end at the second level.
  walkTokens: (token) => {
    if (token.type === "heading") token.depth = Math.min(6, token.depth + 2);
  },
  tokenizer: {
    html: () => undefined,
    tag: lineBreak,
  },
});

/** The one tag that models need, for within a cell of a table there is no other way to break a line. */
function lineBreak(source) {
  const tag = /^<br *\/?>/i.exec(source);
  return tag ? { type: "br", raw: tag[0] } : undefined;
}

/**
 * @param {string} source
 * @returns {DocumentFragment}
 */
export function renderMarkdown(source) {
  const fragment = DOMPurify.sanitize(markdown.parse(source), ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  for (const block of fragment.querySelectorAll(BLOCKS)) block.setAttribute("dir", "auto");
  // What is wider than the page scrolls by itself, and then the keyboard has to reach it.
  for (const block of fragment.querySelectorAll("pre")) {
    block.setAttribute("tabindex", "0");
    block.setAttribute("dir", "ltr");
  }
  return fragment;
}
