/** A file on its way, as a line of a list: its name, how far it is, and what can be done about it. */

import { element, icon, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { percent, progressWords } from "../recordings/words.js";

const GOES_ON = ["sending", "torn"];
const IS_OVER = ["done", "refused", "cancelled"];

export class UploadRow {
  /**
   * @param {string} name  of the file
   * @param {object} wishes
   * @param {() => void} wishes.onPause
   * @param {() => void} wishes.onContinue
   * @param {() => void} wishes.onCancel
   * @param {() => void} wishes.onClose  the line is of no use any more
   */
  constructor(name, { onPause, onContinue, onCancel, onClose }) {
    this._bar = element("progress", { max: "100", value: "0", "aria-label": interpolate(gettext("Upload of %(name)s"), { name }) });
    this._words = element("p", { class: "upload__words" });
    this._pause = button(gettext("Pause"), name, onPause);
    this._continue = button(gettext("Continue"), name, onContinue);
    this._cancel = button(gettext("Cancel"), name, onCancel);
    this._close = button(gettext("Close"), name, onClose);
    for (const leave of [this._cancel, this._close]) leave.prepend(icon("close"));
    const buttons = element("div", { class: "upload__buttons" }, [this._pause, this._continue, this._cancel, this._close]);
    this._about = element("span", { class: "upload__about" });
    const title = element("p", { class: "upload__name" }, [name, " ", this._about]);
    this.element = element("li", { class: "upload" }, [title, buttons, this._bar, this._words]);
  }

  /** @param {string} text  what is known of it before it is there */
  setAbout(text) {
    setText(this._about, text);
  }

  /** @param {import("../recordings/file_upload.js").FileUpload} upload */
  show(upload) {
    const { state } = upload;
    this.element.dataset.state = state;
    this._bar.value = percent(upload.received, upload.size);
    this._bar.hidden = IS_OVER.includes(state);
    setText(this._words, progressWords(upload));
    const focused = document.activeElement;
    this._pause.hidden = !GOES_ON.includes(state);
    this._continue.hidden = state !== "paused";
    this._cancel.hidden = IS_OVER.includes(state);
    this._close.hidden = !IS_OVER.includes(state);
    if (focused?.hidden) this._firstShown()?.focus();
  }

  _firstShown() {
    return [this._pause, this._continue, this._cancel, this._close].find((button) => !button.hidden);
  }
}

function button(label, name, onPress) {
  const made = element("button", { class: "button button--small", type: "button" }, [
    label,
    element("span", { class: "visually-hidden" }, [` ${name}`]),
  ]);
  made.addEventListener("click", onPress);
  return made;
}
