/** The dialog that shows how to go on with the call on another device: a code to scan, and the link in it. */

import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { post } from "../helpers/post.js";
import { clock } from "../helpers/time.js";
import { copyButton } from "./copy_button.js";

const TICK_MS = 1000;

/**
 * @typedef {object} Link
 * @property {string} [ticket]  missing when there is none to be had
 * @property {string} [link]
 * @property {string} [code]  of the link, as the address of a picture
 * @property {number} [valid_s]
 * @property {string} [error]  why there is none, as a sentence
 */

export class HandOverDialog {
  /** @param {HTMLDialogElement} dialog  with its address in `data-url` */
  constructor(dialog) {
    this._dialog = dialog;
    this._picture = find("[data-elsewhere-code]", dialog);
    this._address = find("[data-elsewhere-link]", dialog);
    this._status = find("[data-elsewhere-status]", dialog);
    this._again = find("[data-elsewhere-again]", dialog);
    this._timer = null;
    this._again.addEventListener("click", () => this._load());
    dialog.addEventListener("close", () => this._stop());
    find("[data-elsewhere-copy]", dialog).append(copyButton(() => this._address.value, gettext("Copy the link")));
  }

  open() {
    this._dialog.showModal();
    this._load();
  }

  close() {
    if (this._dialog.open) this._dialog.close();
  }

  /** @returns {Promise<Link>}  never rejected */
  async ask() {
    try {
      const answer = await post(this._dialog.dataset.url, this._dialog);
      if (answer.headers.get("Content-Type")?.startsWith("application/json")) return await answer.json();
      return { error: answer.status === 429 ? await answer.text() : gettext("The link could not be made. Try again.") };
    } catch {
      return { error: gettext("The server cannot be reached. Try again.") };
    }
  }

  async _load() {
    this._stop();
    this._show("loading", gettext("One moment …"));
    const link = await this.ask();
    if (!this._dialog.open) return;
    if (!link.ticket) {
      this._show("failed", link.error);
      return;
    }
    this._picture.src = link.code;
    this._address.value = link.link;
    this._until = performance.now() + link.valid_s * 1000;
    this._show("ready", "");
    this._tick();
    this._timer = setInterval(() => this._tick(), TICK_MS);
  }

  _tick() {
    const leftMs = this._until - performance.now();
    if (leftMs > 0) {
      setText(this._status, interpolate(gettext("It works once, for %(time)s more."), { time: clock(leftMs) }));
      return;
    }
    this._stop();
    this._show("failed", gettext("The code is too old now."));
    this._again.focus();
  }

  _show(stage, text) {
    this._dialog.dataset.stage = stage;
    setText(this._status, text);
  }

  _stop() {
    clearInterval(this._timer);
    this._timer = null;
    this._picture.removeAttribute("src");
    this._address.value = "";
  }
}
