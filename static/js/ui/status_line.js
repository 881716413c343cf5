/** The state of the line in words, with a lamp and, where the user can do something, a button. */

import { find, setText } from "../helpers/dom.js";

const ACTIONS = {
  retry: "Try now",
  "try-again": "Try again",
  leave: "Leave the line",
  "take-back": "Take it back",
  reload: "Reload",
};

export class StatusLine {
  /**
   * @param {HTMLElement} root
   * @param {object} options
   * @param {import("./announcer.js").Announcer} options.announcer
   * @param {(action: import("../session/status_words.js").StatusAction) => void} options.onAction
   */
  constructor(root, { announcer, onAction }) {
    this._root = root;
    this._announcer = announcer;
    this._word = find("[data-status-word]", root);
    this._detail = find("[data-status-detail]", root);
    this._mark = find("[data-status-mark]", root);
    this._button = find("[data-status-action]", root);
    this._button.addEventListener("click", () => onAction(this._button.dataset.statusAction));
  }

  /** @param {import("../session/status_words.js").Status} status */
  show({ word, detail, tone, action, spoken, mark }) {
    this._root.dataset.tone = tone;
    setText(this._word, word);
    setText(this._detail, detail);
    setText(this._mark, mark);
    this._button.hidden = action === null;
    this._button.dataset.statusAction = action ?? "";
    setText(this._button, action ? ACTIONS[action] : "");
    // A countdown is for the eyes.
    this._announcer.say(spoken);
  }
}
