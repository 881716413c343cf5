/**
 * Hold to talk: the space bar anywhere on the page, or a button, opens the microphone for as long as it is held.
 */

/** Where a space is a space, or presses what has the focus. */
const OWN_USE = "input, textarea, select, button, a, summary, [contenteditable], dialog";

export class PushToTalk {
  /**
   * @param {HTMLElement} button
   * @param {object} options
   * @param {() => boolean} options.isWanted  asked when holding begins
   * @param {(held: boolean) => void} options.onChange
   */
  constructor(button, { isWanted, onChange }) {
    this._button = button;
    this._isWanted = isWanted;
    this._onChange = onChange;
    this._held = false;
    document.addEventListener("keydown", (event) => this._onKeyDown(event));
    document.addEventListener("keyup", (event) => event.code === "Space" && this._release());
    button.addEventListener("pointerdown", (event) => this._onPointerDown(event));
    for (const event of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(event, () => this._release());
    }
    // A key that is let go in another window is never reported here.
    window.addEventListener("blur", () => this._release());
  }

  _onKeyDown(event) {
    const onButton = event.target === this._button;
    if (event.code !== "Space" || (!onButton && event.target.closest?.(OWN_USE))) return;
    if (!this._held && !this._isWanted()) return;
    event.preventDefault();
    this._hold();
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
    if (!this._held) return;
    this._held = false;
    this._onChange(false);
  }
}
