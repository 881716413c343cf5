/** Markdown of the model as elements. What a model writes is input like any other: it is sanitised, and nothing in it loads. */

// HTML is no part of this Markdown. What is sanitised is parsed before, into a document that has the page's policy: every
// style and handler in it would be refused there, with a line in the console and a report.

import { Marked } from "../../vendor/marked-18.2.1/marked.esm.js";
import { element } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { DOMPurify } from "../helpers/sanitizer.js";
import { dressCode } from "./code_blocks.js";

const ALLOWED = {
  ALLOWED_TAGS: [
    ...["p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
    ...["h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  ALLOWED_ATTR: ["href", "start", "class"],
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
  for (const link of fragment.querySelectorAll("a")) showWhereTo(link);
  for (const block of fragment.querySelectorAll(BLOCKS)) block.setAttribute("dir", "auto");
  for (const table of fragment.querySelectorAll("table")) makeScroll(table);
  dressCode(fragment);
  return fragment;
}

/** Words of a link may say anything, also another address: where they do not name the place, it stands behind them. */
function showWhereTo(link) {
  if (!link.hasAttribute("href")) {
    link.replaceWith(...link.childNodes);
    return;
  }
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer nofollow");
  const { protocol, host, pathname, href } = link;
  const place = protocol === "mailto:" ? decodedOr(pathname) : host;
  link.title = href;
  if (place && !namesPlace(link.textContent, place)) link.after(element("span", { class: "link-host" }, [` (${place})`]));
}

/** Also an address of which the place is only the end or the beginning of another one's name is not its name. */
function namesPlace(words, place) {
  const shown = words.trim().toLowerCase().replace(/^https?:\/\//, "").replace(/^www\./, "");
  const name = place.toLowerCase().replace(/^www\./, "");
  return shown === name || ["/", "?", "#"].some((end) => shown.startsWith(name + end));
}

function decodedOr(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A table that is wider than the page scrolls in a box of its own: as a block it would be none for screen readers. */
function makeScroll(table) {
  const box = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": gettext("Table") });
  table.replaceWith(box);
  box.append(table);
}
