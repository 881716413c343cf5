/** A player at the foot of a conversation, for times in answers: it stays in view while the answer is read. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { RecordingPlayer } from "./recording_player.js";

const GONE = gettext("This recording cannot be had at the moment.");

export class PlayerDock {
  /**
   * @param {HTMLElement} root
   * @param {object} options
   * @param {(recording: string) => Promise<object | null>} options.factsOf
   * @param {() => void} options.onChange  it was opened or closed
   */
  constructor(root, { factsOf, onChange }) {
    this._root = root;
    this._name = find("[data-dock-name]", root);
    this._problem = find("[data-dock-problem]", root);
    this._place = find("[data-dock-player]", root);
    this._factsOf = factsOf;
    this._onChange = onChange;
    this._id = null;
    /** @type {RecordingPlayer | null} */
    this._player = null;
    find("[data-dock-close]", root).addEventListener("click", () => this.close());
  }

  get isOpen() {
    return !this._root.hidden;
  }

  /**
   * @param {string} id
   * @param {number} atMs
   */
  async playFrom(id, atMs) {
    this._returnTo = document.activeElement;
    if (id !== this._id) {
      const facts = await this._factsOf(id);
      this._put(id, facts);
    }
    this._player?.playFrom(atMs);
  }

  close() {
    this._player?.end();
    this._player = null;
    this._id = null;
    this._root.hidden = true;
    this._onChange();
    if (this._returnTo?.isConnected) this._returnTo.focus();
  }

  _put(id, facts) {
    this._player?.end();
    this._player = null;
    this._id = facts ? id : null;
    this._root.hidden = false;
    setText(this._problem, facts ? "" : GONE);
    setText(this._name, facts?.name ?? "");
    this._place.hidden = !facts;
    if (facts) {
      const { name, duration_ms: lengthMs, peaks, sound, page } = facts;
      this._name.href = page;
      this._player = new RecordingPlayer(this._place, { name, lengthMs, peaks, sound });
    }
    this._onChange();
  }
}
