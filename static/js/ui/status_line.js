/** The state of the line in words, with a lamp; and, where something is wrong, the strip that says what, and what can be done. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const ACTIONS = {
  retry: gettext("Try now"),
  "try-again": gettext("Try again"),
  leave: gettext("Leave the line"),
  "take-back": gettext("Take it back"),
  "open-here": gettext("Open it here"),
  reload: gettext("Reload"),
  dismiss: gettext("All right"),
};

export class StatusLine {
  /**
   * @param {object} options
   * @param {import("./announcer.js").Announcer} options.announcer
   * @param {(action: import("../session/status_words.js").StatusAction | "dismiss") => void} options.onAction
   */
  constructor({ announcer, onAction }) {
    this._announcer = announcer;
    this._root = find("[data-status]");
    this._word = find("[data-status-word]");
    this._aside = find("[data-status-aside]");
    this._mark = find("[data-status-mark]");
    this._strip = find("[data-incident]");
    this._what = find("[data-incident-what]");
    this._detail = find("[data-status-detail]");
    this._kept = find("[data-incident-kept]");
    this._button = find("[data-status-action]");
    this._button.addEventListener("click", () => onAction(this._button.dataset.statusAction));
  }

  /**
   * @param {import("../session/status_words.js").Status} status
   * @param {import("../session/incident.js").Incident | null} incident
   */
  show({ word, detail, tone, spoken, mark }, incident) {
    this._root.dataset.tone = tone;
    setText(this._word, word);
    setText(this._aside, incident ? "" : detail);
    setText(this._mark, mark);
    this._showStrip(incident, word);
    // A countdown is for the eyes.
    this._announcer.say(spoken);
  }

  /** What the bar says already is not said again, where there is more to say. */
  _showStrip(incident, word) {
    const hadFocus = this._button === document.activeElement;
    this._strip.hidden = incident === null;
    const { what, detail, kept, tone, action } = incident ?? { what: "", detail: "", kept: "", tone: "", action: null };
    this._strip.dataset.tone = tone;
    setText(this._what, what === word && (detail || kept) ? "" : what);
    setText(this._detail, kept ? asSentence(detail) : detail);
    setText(this._kept, kept);
    this._button.hidden = action === null;
    this._button.dataset.statusAction = action ?? "";
    setText(this._button, action ? ACTIONS[action] : "");
    if (hadFocus && this._button.offsetParent === null) find("main").focus();
  }
}

/** Ended, for another sentence follows. */
function asSentence(words) {
  return !words || /[.!?。]$/.test(words) ? words : `${words}.`;
}
