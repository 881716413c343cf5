/** The way to what was said before the first line that is shown: a button above it, and scrolling up to it. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const LABELS = { some: gettext("Show earlier messages"), loading: gettext("Loading earlier messages…"), failed: gettext("Try again") };
/** What screen readers hear of it; the lines themselves are not read out. */
const SAID = { loading: gettext("Loading earlier messages."), failed: gettext("Earlier messages could not be loaded.") };
/** Here nobody is there to be asked. */
const CLOSED = new Set(["idle", "ended", "taken", "stopped"]);

export class EarlierMessages {
  /**
   * @param {HTMLElement} root  of the transcript
   * @param {object} options
   * @param {(wish: { again: boolean }) => void} options.onWanted  `again`: also after a failure
   */
  constructor(root, { onWanted }) {
    this._scroller = find("[data-scroller]", root);
    this._offer = find("[data-earlier]", root);
    this._button = find("[data-earlier-button]", root);
    this._problem = find("[data-earlier-problem]", root);
    this._said = find("[data-earlier-said]", root);
    this._onWanted = onWanted;
    this._earlier = "none";
    this._button.addEventListener("click", () => this._earlier !== "loading" && onWanted({ again: true }));
    this._scroller.addEventListener("scroll", () => this._onScroll(), { passive: true });
  }

  /** @param {import("../session/session_state.js").SessionState} state */
  show({ earlier, phase, turns }) {
    const wasLoading = this._earlier === "loading";
    this._earlier = CLOSED.has(phase) ? "none" : earlier;
    const isThere = this._earlier !== "none";
    // The focus does not fall back to the top of the page with a button that goes.
    if (!isThere && this._button === document.activeElement) this._scroller.focus({ preventScroll: true });
    this._offer.hidden = !isThere;
    this._problem.hidden = this._earlier !== "failed";
    if (isThere) setText(this._button, LABELS[this._earlier]);
    // It keeps the focus while it waits, as a disabled button would not.
    this._button.setAttribute("aria-disabled", String(this._earlier === "loading"));
    if (SAID[this._earlier]) setText(this._said, SAID[this._earlier]);
    else if (wasLoading && turns.length > 0) setText(this._said, gettext("Earlier messages are shown."));
  }

  /** Within a screen of the first line; what has failed is tried again by the button alone. */
  _onScroll() {
    if (this._earlier === "some" && this._scroller.scrollTop < this._scroller.clientHeight) this._onWanted({ again: false });
  }
}
