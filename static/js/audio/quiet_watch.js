/** Whether somebody who tries the microphone is heard, told from its level. Pure: it is given the time. */

/** Root mean square: a quiet room stays below it, a low voice does not. */
const HEARD_LEVEL = 0.01;
const PATIENCE_MS = 4000;

export class QuietWatch {
  /** @param {number} nowMs */
  constructor(nowMs) {
    this._heardAtMs = nowMs;
  }

  /**
   * @param {number} level  0 to 1, root mean square
   * @param {number} nowMs
   * @returns {boolean}  whether nothing was heard for some seconds
   */
  isQuiet(level, nowMs) {
    if (level >= HEARD_LEVEL) this._heardAtMs = nowMs;
    return nowMs - this._heardAtMs >= PATIENCE_MS;
  }
}
