/**
 * A transcript beside its sound: what is being said is marked, and stays in view for whoever follows. Of a long one some pages
 * are there at a time; those before and behind come when they are wanted.
 */

import { fetchDocument } from "../helpers/fetch_document.js";
import { find } from "../helpers/dom.js";
import { placeAt } from "../recordings/times.js";

const PAGES_AT_ONCE = 4;
const NEAR_PX = 400;

export class Passages {
  /**
   * @param {HTMLElement} root  with `[data-scroller]`, and in `data-transcript` the address of its pages
   * @param {object} options
   * @param {(atMs: number) => void} options.onPlay  somebody wants to hear it from there
   */
  constructor(root, { onPlay }) {
    this._root = root;
    this._address = root.dataset.transcript;
    this._scroller = find("[data-scroller]", root);
    this._loaded = find("[data-loaded]", root);
    this._earlier = find("[data-earlier]", root);
    this._later = find("[data-later]", root);
    this._problem = find("[data-problem]", root);
    this._followButton = find("[data-follow]", root);
    this._isFollowing = true;
    this._ownTop = -1;
    this._current = null;
    this._atMs = 0;
    this._isPlaying = false;
    this._wish = null;
    this._isLoading = false;
    this._read();
    this._loaded.addEventListener("click", (event) => {
      const time = event.target.closest("[data-play-ms]");
      if (!time) return;
      this._follow(true);
      onPlay(Number(time.dataset.playMs));
    });
    // What the sound does between a gesture and its scrolling would take it back.
    for (const name of ["wheel", "touchmove"]) {
      this._scroller.addEventListener(name, () => this._follow(false), { passive: true });
    }
    this._scroller.addEventListener("scroll", () => this._onScroll(), { passive: true });
    this._earlier.addEventListener("click", () => this._load({ page: this._first - 1 }));
    this._later.addEventListener("click", () => this._load({ page: this._last + 1 }));
    find("[data-again]", this._problem).addEventListener("click", () => this._load(this._wish));
    this._followButton.addEventListener("click", () => this._follow(true));
  }

  /**
   * @param {number} atMs  of the sound
   * @param {boolean} isPlaying
   */
  show(atMs, isPlaying) {
    this._atMs = atMs;
    this._isPlaying = isPlaying;
    const isElsewhere = this._isFollowing && this._isBeyond(atMs);
    if (isElsewhere && !this._isLoading && this._problem.hidden) this._load({ at: Math.floor(atMs) });
    this._mark();
  }

  /** More was written down: the last page that is there may have become longer. */
  refresh() {
    if (this._last === this._pages || !this._pages) this._load({ page: Math.max(1, this._last) });
    else this._load({ page: this._last });
  }

  /** Whether this is said before or behind what is there. */
  _isBeyond(atMs) {
    if (!this._passages.length) return false;
    const isBefore = this._first > 1 && atMs < this._passages[0].startMs;
    return isBefore || (this._last < this._pages && atMs >= this._passages.at(-1).endMs);
  }

  /** Loads one page at a time. What is wanted meanwhile is asked for again, by a press or by the sound. */
  async _load(wish) {
    if (this._isLoading || !wish) return;
    this._wish = wish;
    this._isLoading = true;
    this._problem.hidden = true;
    this._scroller.setAttribute("aria-busy", "true");
    const [name, value] = Object.entries(wish)[0];
    const page = (await fetchDocument(`${this._address}?${name}=${value}`))?.querySelector("[data-passages]");
    this._isLoading = false;
    this._scroller.removeAttribute("aria-busy");
    this._problem.hidden = Boolean(page);
    if (page) this._put(page);
  }

  /** Beside the pages that are there, or in their place; the line that is read stays where it is. */
  _put(page) {
    const number = Number(page.dataset.passages);
    const hadFocus = [this._earlier, this._later].includes(document.activeElement);
    const present = [...this._loaded.children];
    const same = present.find((each) => each.dataset.passages === page.dataset.passages);
    const anchor = this._firstInView();
    const before = anchor?.getBoundingClientRect().top;
    if (same) addTo(same, page);
    else if (number === this._last + 1) this._loaded.append(page);
    else if (number === this._first - 1) this._loaded.prepend(page);
    else this._loaded.replaceChildren(page);
    if (this._loaded.children.length > PAGES_AT_ONCE) {
      (number === this._first - 1 ? this._loaded.lastElementChild : this._loaded.firstElementChild).remove();
    }
    this._read();
    if (anchor?.isConnected) this._scrollTo(this._scroller.scrollTop + anchor.getBoundingClientRect().top - before);
    if (hadFocus && document.activeElement === document.body) this._scroller.focus({ preventScroll: true });
    this._current = null;
    this._mark();
  }

  /** What is there now. */
  _read() {
    const pages = [...this._loaded.children];
    this._first = Number(pages[0]?.dataset.passages ?? 1);
    this._last = Number(pages.at(-1)?.dataset.passages ?? 0);
    this._pages = Number(pages.at(-1)?.dataset.pages ?? 0);
    this._passages = [...this._loaded.querySelectorAll("[data-start-ms]")].map((node) => ({
      node,
      startMs: Number(node.dataset.startMs),
      endMs: Number(node.dataset.endMs),
    }));
    this._root.toggleAttribute("data-is-empty", !this._passages.length);
    this._earlier.hidden = this._first <= 1;
    this._later.hidden = this._last >= this._pages;
  }

  _mark() {
    const place = this._isBeyond(this._atMs) ? -1 : placeAt(this._passages, this._atMs);
    const hasBegun = this._atMs > 0 || this._isPlaying;
    const current = hasBegun ? (this._passages[place]?.node ?? null) : null;
    if (current !== this._current) {
      this._current?.removeAttribute("aria-current");
      current?.setAttribute("aria-current", "true");
      this._current = current;
      if (this._isFollowing) this._bringIntoView();
    }
    this._followButton.hidden = this._isFollowing || !hasBegun;
  }

  _bringIntoView() {
    if (!this._current) return;
    const [line, box] = [this._current.getBoundingClientRect(), this._scroller.getBoundingClientRect()];
    if (line.top >= box.top && line.bottom <= box.bottom - box.height / 4) return;
    this._scrollTo(this._scroller.scrollTop + line.top - box.top - box.height / 4);
  }

  _scrollTo(top) {
    this._scroller.scrollTop = top;
    this._ownTop = this._scroller.scrollTop;
  }

  /** Whoever scrolls reads on their own; whoever comes back to what is being said follows again. */
  _onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this._scroller;
    if (Math.abs(scrollTop - this._ownTop) < 2) return;
    this._ownTop = -1;
    if (this._current) this._follow(this._isInView(this._current), false);
    if (this._problem.hidden === false) return;
    if (scrollTop < NEAR_PX && this._first > 1) this._load({ page: this._first - 1 });
    else if (scrollHeight - scrollTop - clientHeight < NEAR_PX && this._last < this._pages) this._load({ page: this._last + 1 });
  }

  _follow(isFollowing, bringsIntoView = true) {
    this._isFollowing = isFollowing;
    if (isFollowing && bringsIntoView) {
      if (this._isBeyond(this._atMs)) this._load({ at: Math.floor(this._atMs) });
      else this._bringIntoView();
    }
    this._followButton.hidden = isFollowing || !this._current;
  }

  _isInView(node) {
    const [line, box] = [node.getBoundingClientRect(), this._scroller.getBoundingClientRect()];
    return line.bottom > box.top && line.top < box.bottom;
  }

  _firstInView() {
    const top = this._scroller.getBoundingClientRect().top;
    return this._passages.find(({ node }) => node.getBoundingClientRect().bottom > top)?.node ?? null;
  }
}

/** Lines that are there stay as they are: whoever reads or marks them is not disturbed. */
function addTo(present, fresh) {
  present.dataset.pages = fresh.dataset.pages;
  present.append(...[...fresh.children].slice(present.children.length));
}
