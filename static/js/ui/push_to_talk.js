/**
 * Hold to talk: the space bar wherever nobody writes, or a button, opens the microphone for as long as it is held. A short press of
 * the space bar stays one of the button that has the focus.
 */

import { talkAfterMs, wasHeld } from "../session/call_keys.js";

export class PushToTalk {
  /**
   * @param {HTMLElement} button
   * @param {object} options
   * @param {() => boolean} options.isWanted  asked when holding begins
   * @param {() => boolean} options.takesKeys  the space bar counts
   * @param {(held: boolean) => void} options.onChange
   */
  constructor(button, { isWanted, takesKeys, onChange }) {
    this._button = button;
    this._isWanted = isWanted;
    this._takesKeys = takesKeys;
    this._onChange = onChange;
    this._held = false;
    /** Since when the space bar is down. @type {number | null} */
    this._downAt = null;
    this._timer = null;
    document.addEventListener("keydown", (event) => event.code === "Space" && this._onKeyDown(event));
    document.addEventListener("keyup", (event) => event.code === "Space" && this._onKeyUp(event));
    button.addEventListener("pointerdown", (event) => this._onPointerDown(event));
    // A finger that rests on it asks for no menu.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    for (const event of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(event, () => this._release());
    }
    // A key that is let go in another window is never reported here.
    window.addEventListener("blur", () => this._release());
  }

  _onKeyDown(event) {
    if (event.repeat) {
      if (this._held) event.preventDefault();
      return;
    }
    const onButton = event.target === this._button;
    const afterMs = onButton ? 0 : talkAfterMs(event.target);
    const counts = onButton || (this._takesKeys() && !document.querySelector("dialog[open]"));
    if (afterMs === null || !counts || !this._isWanted()) return;
    this._downAt = event.timeStamp;
    if (afterMs > 0) {
      this._timer = setTimeout(() => this._hold(), afterMs);
      return;
    }
    if (!event.target.closest?.("button")) event.preventDefault();
    this._hold();
  }

  /** A button is pressed when the key is let go, which is not to happen after it was held. */
  _onKeyUp(event) {
    const heldMs = this._downAt === null ? 0 : event.timeStamp - this._downAt;
    if (this._held && wasHeld(heldMs)) event.preventDefault();
    this._release();
  }

  _onPointerDown(event) {
    if (!this._isWanted()) return;
    this._button.setPointerCapture(event.pointerId);
    this._hold();
  }

  _hold() {
    if (this._held) return;
    this._held = true;
    this._onChange(true);
  }

  _release() {
    clearTimeout(this._timer);
    this._downAt = null;
    if (!this._held) return;
    this._held = false;
    this._onChange(false);
  }
}
