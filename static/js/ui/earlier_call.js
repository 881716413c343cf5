/** The question whether a new call goes on from an earlier one. Without one to ask about it is not there. */

import { setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { callTime } from "../helpers/time.js";

/**
 * @typedef {object} EarlierCall
 * @property {string} conversation  its id
 * @property {number} endedMs  since the epoch
 * @property {string} title  may be empty
 */

export class EarlierCallQuestion {
  /** @param {HTMLElement | null} root  null: the user never wants to be asked */
  constructor(root) {
    this._root = root;
    if (root === null) return;
    this._box = root.querySelector("input");
    this._isAsked = !this._box.defaultChecked;
    this._question = root.querySelector("[data-earlier-call-question]");
    this._title = root.querySelector("[data-earlier-call-title]");
    const { conversation, endedAt, title } = root.dataset;
    this.offer(conversation ? { conversation, endedMs: Date.parse(endedAt), title } : null);
    // A page that is left open overnight does not speak of this morning.
    document.addEventListener("visibilitychange", () => this._show());
  }

  /** @type {EarlierCall | null}  the call that is asked about */
  get offered() {
    return this._offered ?? null;
  }

  /** @returns {string | null}  the id of the call to go on from; null where the answer is no, or there is none yet */
  get answer() {
    return this.offered && this._box.checked ? this.offered.conversation : null;
  }

  /** @param {EarlierCall | null} call  to ask about from now on, as if nothing had been answered */
  offer(call) {
    if (this._root === null) return;
    this._offered = call;
    this._box.checked = this._box.defaultChecked;
    this._show();
  }

  _show() {
    this._root.hidden = this._offered === null;
    if (this._offered === null) return;
    const { endedMs, title } = this._offered;
    const words = this._isAsked ? gettext("Go on from your call of %(when)s?") : gettext("Go on from your call of %(when)s");
    setText(this._question, interpolate(words, { when: callTime(endedMs, Date.now()) }));
    setText(this._title, title);
  }
}
