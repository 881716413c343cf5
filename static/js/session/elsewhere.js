/** Whether a conversation that went on in another place still does there. */

/** So often somebody looks, while the page is seen. */
const LOOK_MS = 10000;

/**
 * Pure.
 *
 * @param {{modes: {[mode: string]: {known: boolean, state: string, conversation: string | null}}}} report  of `GET /api/session/`
 * @param {"text" | "call"} mode
 * @param {string} conversation
 * @returns {boolean}  it is over there, or another one is open
 */
export function isOverIn(report, mode, conversation) {
  const { known, state, conversation: open } = report.modes[mode];
  return known && (state === "none" || open !== conversation);
}

export class Elsewhere {
  /**
   * @param {object} options
   * @param {string} options.url  of the report
   * @param {"text" | "call"} options.mode
   * @param {() => void} options.onOver
   */
  constructor({ url, mode, onOver }) {
    this._url = url;
    this._mode = mode;
    this._onOver = onOver;
    this._timer = null;
  }

  /** @param {string} conversation  that went on in another place; while it is watched nothing happens */
  watch(conversation) {
    this._timer ??= setInterval(() => document.visibilityState === "visible" && this._look(conversation), LOOK_MS);
  }

  /** May be called twice. */
  stop() {
    clearInterval(this._timer);
    this._timer = null;
  }

  async _look(conversation) {
    try {
      const answer = await fetch(this._url);
      if (!answer.ok || this._timer === null) return;
      if (!isOverIn(await answer.json(), this._mode, conversation)) return;
    } catch {
      return; // Without a network nobody knows.
    }
    this.stop();
    this._onOver();
  }
}
