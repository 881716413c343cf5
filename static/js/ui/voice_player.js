/** Plays a sentence in the voice that is chosen in a form, saved or not; the server has it recorded where it is not there yet. */

import { find, setName, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { post } from "../helpers/post.js";

const NOT_NOW = gettext("The voice cannot be heard at the moment.");
const UNREACHABLE = gettext("The server cannot be reached. Try again.");
const OUT_OF_DATE = gettext("Load the page again, then press Listen.");
const PRESS_AGAIN = gettext("It is there now: press Listen again.");

/** What is said in place; as a message, a sentence. */
class Refusal extends Error {}

export class VoicePlayer {
  /**
   * @param {HTMLElement} root  with the address of the samples in `data-samples`
   * @param {HTMLFormElement} form  around it, with the token against forged requests
   */
  constructor(root, form) {
    this._root = root;
    this._form = form;
    this._select = find("select", root);
    this._button = find("[data-listen-button]", root);
    this._label = find("[data-listen-label]", root);
    this._said = find("[data-listen-said]", root);
    this._audio = find("[data-listen-sound]", root);
    /** @type {Map<string, Promise<string>>}  addresses by voice. What was asked for is not given up: it is recorded once */
    this._sounds = new Map();
    /** @type {symbol | null}  stands for what is asked for or played */
    this._listening = null;
    this._button.addEventListener("click", () => (this._listening ? this._end() : this._listen(this._select.value)));
    this._select.addEventListener("input", () => this._end());
    form.addEventListener("reset", () => this._end());
    this._audio.addEventListener("ended", () => this._end());
    this._button.hidden = false;
  }

  async _listen(voice) {
    const listening = (this._listening = Symbol(voice));
    this._show(true, gettext("Asking for it …"));
    try {
      const sound = await this._soundOf(voice);
      if (this._listening !== listening) return;
      this._audio.src = sound;
      await this._audio.play();
      if (this._listening === listening) this._show(true, interpolate(gettext("This is %(voice)s."), { voice }));
    } catch (error) {
      if (this._listening === listening) this._fail(voice, error);
    }
  }

  _soundOf(voice) {
    const asked = this._sounds.get(voice) ?? this._ask(voice);
    this._sounds.set(voice, asked);
    asked.catch(() => this._sounds.delete(voice));
    return asked;
  }

  async _ask(voice) {
    const address = `${this._root.dataset.samples}${encodeURIComponent(voice)}/`;
    const answer = await post(address, this._form).catch(() => {
      throw new Refusal(UNREACHABLE);
    });
    const body = await answer.json().catch(() => null);
    if (answer.ok && body?.sound) return body.sound;
    throw new Refusal([401, 403].includes(answer.status) ? OUT_OF_DATE : (body?.error ?? NOT_NOW));
  }

  /** Some browsers let a page play only what comes soon after the click: what had to be recorded first came late. */
  _fail(voice, error) {
    if (error.name === "NotAllowedError") return this._end(PRESS_AGAIN);
    this._sounds.delete(voice);
    this._end(error instanceof Refusal ? error.message : NOT_NOW);
  }

  _end(text = "") {
    if (!this._listening && !text) return setText(this._said, "");
    this._listening = null;
    this._audio.pause();
    this._show(false, text);
  }

  _show(isGoing, text) {
    setText(this._label, isGoing ? gettext("Stop") : gettext("Listen"));
    setName(this._button, isGoing ? gettext("Stop the voice") : gettext("Listen to the voice"));
    setText(this._said, text);
  }
}
