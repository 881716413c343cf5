/** How long the call has been going on. */

import { setText } from "../helpers/dom.js";
import { clock } from "../helpers/time.js";

export class CallTimer {
  /** @param {HTMLElement} root */
  constructor(root) {
    this._root = root;
    this._startedAt = null;
    this._interval = null;
    this.elapsedMs = 0;
  }

  /** Starts from zero; while it runs, nothing changes. */
  start() {
    if (this._interval !== null) return;
    this._startedAt = performance.now();
    this._interval = setInterval(() => this._show(), 500);
    this._show();
  }

  /** May be called twice. */
  stop() {
    if (this._interval === null) return;
    clearInterval(this._interval);
    this._interval = null;
    this._show();
  }

  reset() {
    this.stop();
    this.elapsedMs = 0;
    setText(this._root, clock(0));
  }

  _show() {
    this.elapsedMs = performance.now() - this._startedAt;
    setText(this._root, clock(this.elapsedMs));
  }
}
