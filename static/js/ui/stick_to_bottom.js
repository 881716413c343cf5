/** Keeps the newest line in view, until the user scrolls up to read; then it lets go and offers the way back. */

const NEAR_PX = 48;

export class StickToBottom {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} button  leads back to the newest line
   * @param {() => boolean} hasLines  else there is none to keep in view: what stands there instead is read from its beginning
   */
  constructor(scroller, button, hasLines) {
    this._scroller = scroller;
    this._button = button;
    this._hasLines = hasLines;
    this._held = true;
    this._ownTop = -1;
    scroller.addEventListener("scroll", () => this._onScroll(), { passive: true });
    button.addEventListener("click", () => this.hold());
    // What stands in it may grow by itself, too, as a player does that is loaded.
    const resized = new ResizeObserver(() => this.follow());
    for (const each of [scroller, ...scroller.children]) resized.observe(each);
  }

  /** To be called after the content grew. */
  follow() {
    if (!this._hasLines()) return;
    if (!this._held) {
      this._button.hidden = this._isNear();
      return;
    }
    this._scroller.scrollTop = this._scroller.scrollHeight;
    this._ownTop = this._scroller.scrollTop;
  }

  /**
   * Changes the content and leaves a line of it where the reader sees it, whatever comes or goes above.
   *
   * @param {Element | null} line
   * @param {() => void} change
   */
  keeping(line, change) {
    const before = line?.getBoundingClientRect().top;
    change();
    if (line?.isConnected) this._scroller.scrollTop += line.getBoundingClientRect().top - before;
  }

  /** Goes to the newest line and stays there. */
  hold() {
    this._held = true;
    this._button.hidden = true;
    this.follow();
  }

  /** Stays where it is until somebody comes back to the newest line. */
  letGo() {
    this._held = false;
  }

  /** What it has scrolled itself is told late: more may have come below by then. */
  _onScroll() {
    if (this._held && Math.abs(this._scroller.scrollTop - this._ownTop) < 2) return;
    this._held = this._isNear();
    this._button.hidden = this._held;
  }

  _isNear() {
    const { scrollHeight, scrollTop, clientHeight } = this._scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }
}
