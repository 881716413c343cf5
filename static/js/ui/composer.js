/** The box to type in: Enter sends, Shift+Enter begins a line, and what was not sent is still there after a reload. */

import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate, locale } from "../helpers/gettext.js";
import { draft } from "../helpers/storage.js";
import { quoted } from "../session/quotes.js";

const COUNT_FROM = 0.9;

export class Composer {
  /**
   * @param {HTMLFormElement} form
   * @param {object} options
   * @param {string} options.draftKey
   * @param {number} options.longest  characters
   * @param {(text: string) => void} options.onSend
   * @param {() => void} [options.onUp]  the arrow up was pressed where nothing is written yet
   */
  constructor(form, { draftKey, longest, onSend, onUp = () => {} }) {
    this._form = form;
    this._box = find("textarea", form);
    this._counter = find("[data-counter]", form);
    this._send = find("[type=submit]", form);
    this._draftKey = draftKey;
    this._longest = longest;
    this._onSend = onSend;
    this._onUp = onUp;
    /** @type {{onSend: (text: string) => void, onLeave: () => void, before: string} | null} */
    this._editing = null;
    this._box.value = draft.get(draftKey) ?? "";
    this._box.addEventListener("input", () => this._changed());
    this._box.addEventListener("keydown", (event) => this._onKey(event));
    form.addEventListener("submit", (event) => this._submit(event));
    this._changed();
  }

  focus() {
    this._box.focus();
  }

  /** @param {string} text  replaces what is there */
  fill(text) {
    this._box.value = text;
    this._changed();
    this.focus();
  }

  /** @param {string} text  of a message, which what is written next is about */
  quote(text) {
    const written = this._box.value.trimEnd();
    this.fill(`${written}${written && "\n\n"}${quoted(text)}`);
    this._box.setSelectionRange(this._box.value.length, this._box.value.length);
    this._box.scrollTop = this._box.scrollHeight;
  }

  /**
   * What is there already is written anew: it is no draft, and what was one comes back afterwards.
   *
   * @param {string} text
   * @param {{onSend: (text: string) => void, onLeave: () => void}} ends  `onLeave`: after it was sent, too
   */
  edit(text, { onSend, onLeave }) {
    this.leaveEditing();
    this._editing = { onSend, onLeave, before: this._box.value };
    this.fill(text);
    this._box.setSelectionRange(text.length, text.length);
  }

  /** Nothing happens where nothing is edited. */
  leaveEditing() {
    if (this._editing === null) return;
    const { onLeave, before } = this._editing;
    this._editing = null;
    this._box.value = before;
    this._changed();
    onLeave();
  }

  _onKey(event) {
    // While an input method composes a character, the keys belong to it.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) this._form.requestSubmit();
    else if (event.key === "ArrowUp" && this._box.value === "" && !event.shiftKey) this._onUp();
    else if (event.key === "Escape" && this._editing !== null) this.leaveEditing();
    else return;
    event.preventDefault();
  }

  _submit(event) {
    event.preventDefault();
    const text = this._box.value.trim();
    if (!text || text.length > this._longest) return;
    const send = this._editing?.onSend ?? this._onSend;
    if (this._editing === null) this.fill("");
    else this.leaveEditing();
    send(text);
  }

  _changed() {
    const { length } = this._box.value;
    if (this._editing === null) draft.set(this._draftKey, this._box.value);
    this._send.disabled = this._box.value.trim() === "" || length > this._longest;
    this._box.setAttribute("aria-invalid", String(length > this._longest));
    this._count(length);
    this._grow();
  }

  _count(length) {
    this._counter.hidden = length < this._longest * COUNT_FROM;
    this._counter.classList.toggle("is-over", length > this._longest);
    const counts = { count: length.toLocaleString(locale), most: this._longest.toLocaleString(locale) };
    // Translators: characters of a message, of those that it may have.
    setText(this._counter, interpolate(gettext("%(count)s of %(most)s"), counts));
  }

  /** The style sheet bounds the height; beyond it the box scrolls. One that is not shown has none to go by. */
  _grow() {
    this._box.style.height = "auto";
    if (this._box.scrollHeight > 0) this._box.style.height = `${this._box.scrollHeight}px`;
  }
}
