/** The single keys of a call: a dialog that shows them and switches them off, and the question before the one that ends it. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { remembered } from "../helpers/storage.js";
import { ASKED_FOR_MS, isTyping, keyWish } from "../session/call_keys.js";

const KEY = "holdline:keys";
const SHORTCUTS = { "[data-mute]": "m", "[data-hang-up]": "h" };

export class CallKeys {
  /**
   * @param {object} options
   * @param {() => boolean} options.inCall
   * @param {() => void} options.onMute
   * @param {() => void} options.onHangUp
   * @param {() => void} options.onSwitched  they were switched on or off
   */
  constructor({ inCall, onMute, onHangUp, onSwitched }) {
    this._inCall = inCall;
    this._wishes = { mute: onMute, ask: () => this._ask(), "hang-up": onHangUp, help: () => this._dialog.showModal() };
    this._onSwitched = onSwitched;
    this._dialog = find("[data-keys-dialog]");
    this._switch = find("[data-keys-switch]");
    this._hangUpWord = find("[data-hang-up-word]");
    this._told = find("[data-keys-told]");
    /** @type {number | null} */
    this._askedAt = null;
    this._timer = null;
    this._switch.checked = remembered.get(KEY) !== "off";
    this._switch.addEventListener("change", () => this._switched());
    find("[data-keys]").addEventListener("click", () => this._dialog.showModal());
    document.addEventListener("keydown", (event) => this._onKey(event));
    this._mark();
  }

  /** Whether single keys do something. */
  get isOn() {
    return this._switch.checked;
  }

  _onKey(event) {
    const { key, repeat: isRepeat } = event;
    const isModified = event.ctrlKey || event.metaKey || event.altKey;
    const pressed = { key, isRepeat, isModified, isTyping: isTyping(event.target) || this._isInDialog() };
    const page = { inCall: this._inCall(), isOn: this.isOn, askedAtMs: this._askedAt };
    const wish = keyWish(pressed, page, performance.now());
    if (!isRepeat) this._forget();
    if (wish === null) return;
    event.preventDefault();
    this._wishes[wish]();
  }

  _isInDialog() {
    return document.querySelector("dialog[open]") !== null;
  }

  _ask() {
    this._askedAt = performance.now();
    setText(this._hangUpWord, gettext("H again"));
    setText(this._told, gettext("Press H again to hang up."));
    this._timer = setTimeout(() => this._forget(), ASKED_FOR_MS);
  }

  _forget() {
    clearTimeout(this._timer);
    this._askedAt = null;
    setText(this._hangUpWord, gettext("Hang up"));
    setText(this._told, "");
  }

  _switched() {
    remembered.set(KEY, this.isOn ? "" : "off");
    this._mark();
    this._onSwitched();
  }

  _mark() {
    document.documentElement.dataset.keys = this.isOn ? "on" : "off";
    for (const [selector, key] of Object.entries(SHORTCUTS)) {
      if (this.isOn) find(selector).setAttribute("aria-keyshortcuts", key);
      else find(selector).removeAttribute("aria-keyshortcuts");
    }
  }
}
