/**
 * Short notices from the server, at most three at a time. They leave by themselves, but not while somebody reads them.
 */

import { element, icon } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { TOAST_LEVEL } from "../session/protocol.js";

const MOST_AT_ONCE = 3;
const DEFAULT_MS = 6000;
const ICONS = {
  [TOAST_LEVEL.INFO]: "info",
  [TOAST_LEVEL.SUCCESS]: "check",
  [TOAST_LEVEL.WARNING]: "warning",
  [TOAST_LEVEL.ERROR]: "warning",
};

/**
 * @typedef {object} ToastMessage
 * @property {string} code
 * @property {"info" | "success" | "warning" | "error"} level
 * @property {string} text
 * @property {number} [ms]  0: stays until it is dismissed
 */

export class Toaster {
  /**
   * @param {HTMLElement} polite  a live region
   * @param {HTMLElement} assertive  a live region for errors
   */
  constructor(polite, assertive) {
    this._polite = polite;
    this._assertive = assertive;
    /** @type {Toast[]} */
    this._toasts = [];
  }

  /**
   * @param {ToastMessage} message
   */
  show(message) {
    const region = message.level === TOAST_LEVEL.ERROR ? this._assertive : this._polite;
    const toast = new Toast(message, () => this._gone(toast));
    this._toasts.push(toast);
    region.append(toast.node);
    while (this._toasts.length > MOST_AT_ONCE) this._toasts[0].dismiss();
  }

  _gone(toast) {
    this._toasts = this._toasts.filter((other) => other !== toast);
  }
}

class Toast {
  constructor({ code, level, text, ms = DEFAULT_MS }, onGone) {
    this._onGone = onGone;
    this._leftMs = ms;
    this._timer = null;
    this._since = 0;
    this.node = this._build(code, level, text);
    for (const event of ["pointerenter", "focusin"]) this.node.addEventListener(event, () => this._pause());
    for (const event of ["pointerleave", "focusout"]) this.node.addEventListener(event, () => this._resume());
    this._resume();
  }

  dismiss() {
    clearTimeout(this._timer);
    this.node.remove();
    this._onGone();
  }

  _build(code, level, text) {
    const close = element("button", { type: "button", class: "toast__close", "aria-label": gettext("Dismiss") }, [icon("close")]);
    close.addEventListener("click", () => this.dismiss());
    const children = [icon(ICONS[level] ?? ICONS[TOAST_LEVEL.INFO]), element("p", { class: "toast__text" }, [text])];
    return element("div", { class: "toast", "data-level": level, "data-code": code }, [...children, close]);
  }

  _pause() {
    if (this._timer === null) return;
    clearTimeout(this._timer);
    this._timer = null;
    this._leftMs -= performance.now() - this._since;
  }

  _resume() {
    const inUse = this.node.matches(":hover") || this.node.contains(document.activeElement);
    if (this._timer !== null || this._leftMs <= 0 || inUse) return;
    this._since = performance.now();
    this._timer = setTimeout(() => this.dismiss(), this._leftMs);
  }
}
