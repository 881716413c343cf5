/** Keeps the screen on during a call, where the browser can. */
export class WakeLock {
  constructor() {
    this._wanted = false;
    this._lock = null;
    this._onVisible = () => this._request();
  }

  /** May be called twice. */
  start() {
    if (this._wanted) return;
    this._wanted = true;
    document.addEventListener("visibilitychange", this._onVisible);
    this._request();
  }

  /** May be called twice. */
  stop() {
    this._wanted = false;
    document.removeEventListener("visibilitychange", this._onVisible);
    this._lock?.release();
    this._lock = null;
  }

  /** The browser takes the lock away whenever the page is hidden. */
  async _request() {
    if (!this._wanted || document.visibilityState === "hidden") return;
    try {
      const lock = await navigator.wakeLock?.request("screen");
      if (this._wanted) this._lock = lock ?? null;
      else lock?.release();
    } catch {
      // Refused on low battery, for one: the call goes on, the screen may sleep.
    }
  }
}
