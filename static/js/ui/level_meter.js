/** How loud the microphone hears the user: it moves before anything was sent. */

/** Ordinary speech has a root mean square around 0.1; the square root of it fills the meter comfortably. */
const FULL_SCALE = 0.3;
const FALL = 0.75;
const LABEL_EVERY_MS = 500;

export class LevelMeter {
  /** @param {HTMLElement} root  with `role="meter"`, 0 to 100 */
  constructor(root) {
    this._root = root;
    /** What the meter shows, 0 to 1. */
    this.shown = 0;
    this._labelledAt = -Infinity;
  }

  /** @param {number} level  0 to 1, root mean square */
  show(level) {
    const wanted = Math.min(1, Math.sqrt(level / FULL_SCALE));
    this.shown = level === 0 ? 0 : Math.max(wanted, this.shown * FALL);
    this._root.style.setProperty("--level", this.shown.toFixed(3));
    this._label();
  }

  _label() {
    const now = performance.now();
    if (now - this._labelledAt < LABEL_EVERY_MS && this.shown > 0) return;
    this._labelledAt = now;
    this._root.setAttribute("aria-valuenow", String(Math.round(this.shown * 100)));
  }
}
