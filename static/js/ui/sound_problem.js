/** Says what is wrong with the sound of a call, and what can be done, for as long as it is. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const TEXTS = {
  held: gettext("Something else has the sound, such as a telephone call. It comes back by itself."),
  silent: gettext("No sound arrives from your microphone. See whether it is on and not muted, by a switch on it or by the system, or choose another one."),
  stopped: gettext("The browser has paused the sound of this page."),
};
const ACTIONS = { silent: gettext("Try again"), stopped: gettext("Go on") };

/** @param {import("../audio/sound_watch.js").SoundProblem} problem @returns {string}  empty where there is nothing to say */
export const soundProblemText = (problem) => TEXTS[problem] ?? "";

export class SoundProblemLine {
  /**
   * @param {HTMLElement} root  inside a polite live region
   * @param {(problem: import("../audio/sound_watch.js").SoundProblem) => void} onAction
   */
  constructor(root, onAction) {
    this._root = root;
    this._text = find("[data-sound-problem-text]", root);
    this._button = find("[data-sound-problem-action]", root);
    this._problem = "";
    this._button.addEventListener("click", () => onAction(this._problem));
  }

  /** @param {import("../audio/sound_watch.js").SoundProblem} problem */
  show(problem) {
    this._problem = problem;
    const text = soundProblemText(problem);
    this._root.hidden = text === "";
    setText(this._text, text);
    this._button.hidden = !ACTIONS[problem];
    setText(this._button, ACTIONS[problem] ?? "");
  }
}
