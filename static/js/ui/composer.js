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
   */
  constructor(form, { draftKey, longest, onSend }) {
    this._form = form;
    this._box = find("textarea", form);
    this._counter = find("[data-counter]", form);
    this._send = find("[type=submit]", form);
    this._draftKey = draftKey;
    this._longest = longest;
    this._onSend = onSend;
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

  _onKey(event) {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this._form.requestSubmit();
  }

  _submit(event) {
    event.preventDefault();
    const text = this._box.value.trim();
    if (!text || text.length > this._longest) return;
    this._box.value = "";
    this._changed();
    this._onSend(text);
  }

  _changed() {
    const { length } = this._box.value;
    draft.set(this._draftKey, this._box.value);
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
