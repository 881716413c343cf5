/** A field that finds words in the conversation, marks them and goes from one to the next. The browser's own search stays its own. */

import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { MOST_PLACES, placesOf } from "../session/find_words.js";

const [ALL, CURRENT] = ["found", "found-current"];
const TEXTS = ".turn__body, .turn__about";

export class FindBar {
  /**
   * @param {object} parts
   * @param {HTMLElement} parts.bar  with a search field, buttons and a place for the count
   * @param {HTMLElement} parts.opener  a button
   * @param {HTMLElement} parts.lines  whose messages are looked through
   * @param {(line: HTMLElement) => void} parts.onJump  a line is to be seen
   */
  constructor({ bar, opener, lines, onJump }) {
    this._bar = bar;
    this._opener = opener;
    this._lines = lines;
    this._onJump = onJump;
    this._field = find("input", bar);
    this._count = find("[data-find-count]", bar);
    this._elsewhere = find("[data-find-elsewhere]", bar);
    /** @type {Range[]} */
    this._ranges = [];
    this._current = -1;
    opener.addEventListener("click", () => (bar.hidden ? this.open() : this.close()));
    this._field.addEventListener("input", () => this._look());
    bar.addEventListener("submit", (event) => this._submit(event));
    bar.addEventListener("keydown", (event) => this._onKey(event));
    find("[data-find-next]", bar).addEventListener("click", () => this._step(1));
    find("[data-find-previous]", bar).addEventListener("click", () => this._step(-1));
    find("[data-find-close]", bar).addEventListener("click", () => this.close());
    // What is said meanwhile is looked through, too, and the reader stays where they are.
    new MutationObserver(() => !bar.hidden && this._mark()).observe(lines, { childList: true, subtree: true, characterData: true });
  }

  open() {
    this._bar.hidden = false;
    this._opener.setAttribute("aria-expanded", "true");
    this._field.focus();
    this._field.select();
    this._look();
  }

  close() {
    this._bar.hidden = true;
    this._opener.setAttribute("aria-expanded", "false");
    this._ranges = [];
    this._show();
    this._opener.focus();
  }

  _submit(event) {
    event.preventDefault();
    this._step(1);
  }

  _onKey(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.shiftKey && event.target === this._field) this._step(-1);
    else return;
    event.preventDefault();
  }

  /** The newest is the first to be shown: it is the nearest. */
  _look() {
    this._current = -1;
    this._mark();
    if (this._ranges.length > 0) this._goTo(this._ranges.length - 1);
  }

  _mark() {
    const wanted = this._field.value;
    this._ranges = [];
    for (const body of this._lines.querySelectorAll(TEXTS)) {
      if (this._ranges.length >= MOST_PLACES) break;
      this._ranges.push(...rangesIn(body, wanted));
    }
    this._elsewhere.search = wanted.trim() ? `?q=${encodeURIComponent(wanted.trim())}` : "";
    this._current = Math.min(this._current, this._ranges.length - 1);
    this._show();
  }

  _step(by) {
    const { length } = this._ranges;
    if (length > 0) this._goTo((this._current + by + length) % length);
  }

  _goTo(index) {
    this._current = index;
    this._show();
    const at = this._ranges[index].startContainer.parentElement;
    this._onJump(at);
    const fold = at.closest("details:not([open])");
    if (fold) fold.open = true;
    at.scrollIntoView({ block: "center" });
  }

  _show() {
    const { length } = this._ranges;
    const words = length >= MOST_PLACES ? gettext("%(place)s of %(count)s or more") : gettext("%(place)s of %(count)s");
    const place = interpolate(words, { place: this._current + 1, count: Math.min(length, MOST_PLACES) });
    const isAsked = this._field.value.trim() !== "";
    setText(this._count, !isAsked ? "" : length === 0 ? gettext("Not found") : place);
    // Browsers that cannot mark without changing the page go there all the same.
    if (!("highlights" in CSS)) return;
    CSS.highlights.set(ALL, new Highlight(...this._ranges));
    CSS.highlights.set(CURRENT, new Highlight(...this._ranges.slice(this._current, this._current + 1)));
    CSS.highlights.get(CURRENT).priority = 1;
  }
}

/** Words may run over several elements, such as half of one in bold. */
function rangesIn(body, wanted) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts = [];
  let length = 0;
  while (walker.nextNode()) {
    if (walker.currentNode.parentElement.closest("figcaption, .turn__unheard-mark")) continue;
    texts.push({ node: walker.currentNode, start: length });
    length += walker.currentNode.data.length;
  }
  return placesOf(texts.map(({ node }) => node.data).join(""), wanted).map(({ start, end }) => {
    const range = new Range();
    range.setStart(...placeAt(texts, start, false));
    range.setEnd(...placeAt(texts, end, true));
    return range;
  });
}

function placeAt(texts, at, isEnd) {
  const { node, start } = texts.findLast((text) => (isEnd ? text.start < at : text.start <= at));
  return [node, at - start];
}
