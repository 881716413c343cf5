/**
 * Says things to screen readers, politely, and only what lasts: a state that is over in a second is not worth an interruption.
 */

import { setText } from "../helpers/dom.js";

const SETTLE_MS = 1200;

export class Announcer {
  /** @param {HTMLElement} region  a visually hidden element inside a live region */
  constructor(region) {
    this._region = region;
    this._timer = null;
    this._next = "";
  }

  /** @param {string} text */
  say(text) {
    if (text === this._next) return;
    this._next = text;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => setText(this._region, text), SETTLE_MS);
  }
}
