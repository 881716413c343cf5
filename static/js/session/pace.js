/**
 * A token bucket: how much may be sent now, so that what was kept during an outage does not break the server's limits.
 * Pure: the time comes in as an argument.
 */
export class Pace {
  /**
   * @param {number} burst  how many may go at once
   * @param {number} perSecond  how many may go in the long run
   */
  constructor(burst, perSecond) {
    this._burst = burst;
    this._perSecond = perSecond;
    this._tokens = burst;
    this._at = -Infinity;
  }

  /**
   * @param {number} nowMs  of a clock that never goes back
   * @returns {boolean}  true when one more may be sent now, which counts as sent
   */
  take(nowMs) {
    const elapsed = Math.max(0, nowMs - this._at);
    this._tokens = Math.min(this._burst, this._tokens + (elapsed / 1000) * this._perSecond);
    this._at = nowMs;
    if (this._tokens < 1) return false;
    this._tokens -= 1;
    return true;
  }
}
