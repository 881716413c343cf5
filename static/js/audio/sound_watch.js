/**
 * Whether sound comes from the microphone, told from its frames. Pure: it is given the time.
 *
 * @typedef {"" | "held" | "stopped" | "silent"} SoundProblem  `held`: something else has the sound, such as a telephone call;
 *   `stopped`: the browser has paused the page's sound; `silent`: everything is open, and nothing comes
 */

/** After so long without a frame something is wrong: frames come every 40 ms. */
const PATIENCE_MS = 2000;
/** A page that was frozen has heard nothing meanwhile: of a long pause between two looks only so much counts. */
const LONGEST_STEP_MS = 1000;

export class SoundWatch {
  constructor() {
    this._hasCome = false;
    this._quietMs = 0;
    this._lookedAtMs = null;
  }

  /** A frame has come. */
  heard() {
    this._hasCome = true;
  }

  /**
   * To be called about twice a second.
   *
   * @param {number} nowMs
   * @param {object} facts
   * @param {string} facts.context  the state of the audio context
   * @param {boolean} facts.isTrackMuted  by the system or the device, not by the user; frames of it are empty
   * @param {boolean} facts.isWanted  the user wants to be heard
   * @returns {SoundProblem}
   */
  look(nowMs, { context, isTrackMuted, isWanted }) {
    const stepMs = Math.min(LONGEST_STEP_MS, nowMs - (this._lookedAtMs ?? nowMs));
    const isQuiet = context !== "running" || isTrackMuted || (isWanted && !this._hasCome);
    this._quietMs = isQuiet ? this._quietMs + stepMs : 0;
    this._lookedAtMs = nowMs;
    this._hasCome = false;
    if (context === "interrupted") return "held";
    if (this._quietMs < PATIENCE_MS) return "";
    return context === "running" ? "silent" : "stopped";
  }
}
