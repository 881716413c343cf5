/** What a call came to, on the page of its end: what the history tells of it, as that is written, and the ways on. */

import { find, setText } from "../helpers/dom.js";
import { fetchDocument } from "../helpers/fetch_document.js";
import { gettext, interpolate } from "../helpers/gettext.js";

const FIRST_LOOK_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const LOOKS = 20;

export class EndedCall {
  /** @param {HTMLElement} root  with places for title, summary and facts, and links whose address has `:id` for the call's */
  constructor(root) {
    this._root = root;
    this._timer = null;
  }

  /** @param {string | null} conversation  the id of the call; null where there is nothing to tell */
  show(conversation) {
    clearTimeout(this._timer);
    this._root.hidden = conversation === null;
    for (const name of ["title", "summary", "facts"]) setText(find(`[data-ended-${name}-of]`, this._root), "");
    if (conversation === null) return;
    const id = encodeURIComponent(conversation);
    for (const link of this._root.querySelectorAll("[data-href]")) link.setAttribute("href", link.dataset.href.replace(":id", id));
    this._look(find("[data-ended-read]", this._root).href, FIRST_LOOK_MS, LOOKS);
  }

  /** Less and less often, and only while somebody looks at the page. */
  _look(address, waitMs, left) {
    if (left === 0) return;
    this._timer = setTimeout(async () => {
      const isSeen = document.visibilityState === "visible";
      const isWhole = isSeen && this._tell(await fetchDocument(address), address);
      if (!isWhole) this._look(address, Math.min(waitMs * 1.5, LONGEST_WAIT_MS), isSeen ? left - 1 : left);
    }, waitMs);
  }

  /** @returns {boolean}  whether all is told that will be */
  _tell(page, address) {
    if (page === null || find("[data-ended-read]", this._root).href !== address) return false;
    const wordsOf = (selector) => page.querySelector(selector)?.textContent.trim() ?? "";
    const facts = ["models", "tokens"].map((name) => factOf(page, name));
    setText(find("[data-ended-title-of]", this._root), wordsOf(".conversation__title"));
    setText(find("[data-ended-summary-of]", this._root), wordsOf(".summary__text"));
    setText(find("[data-ended-facts-of]", this._root), [wordsOf(".conversation__verdict"), ...facts].filter(Boolean).join(" · "));
    return page.querySelector('[data-summary="pending"], [data-summary=""]') === null;
  }
}

function factOf(page, name) {
  const words = page.querySelector(`.facts [data-fact="${name}"]`)?.textContent.trim().replace(/\s+/g, " ") ?? "";
  // Translators: "%(counts)s" is such as "1,200 in, 300 out".
  return words && name === "tokens" ? interpolate(gettext("%(counts)s tokens"), { counts: words }) : words;
}
