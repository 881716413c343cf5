/** The dialog from which recordings come into a conversation: new ones are uploaded, those that are there are chosen. */

import { element, find, icon, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { clock, moment } from "../helpers/time.js";
import { lengthOnClock, lengthWords } from "../recordings/words.js";
import { DropZone } from "./drop_zone.js";

const LOADING = gettext("Looking for your recordings …");
const NONE = gettext("You have no other recordings.");
const UNREACHABLE = gettext("Your recordings could not be looked up. Close this and try again.");

export class RecordingPicker {
  /**
   * @param {HTMLDialogElement} dialog  with the address of recordings in `data-recordings`
   * @param {object} options
   * @param {(files: File[]) => void} options.onFiles
   * @param {(recording: object) => void} options.onPick  one that is there already
   * @param {(id: string) => Promise<string>} options.onRemove  one of the conversation; a sentence where it cannot be
   */
  constructor(dialog, { onFiles, onPick, onRemove }) {
    this._dialog = dialog;
    this._list = find("[data-mine-list]", dialog);
    this._said = find("[data-mine-said]", dialog);
    this._more = find("[data-mine-more]", dialog);
    this._here = find("[data-here]", dialog);
    this._hereList = find("[data-here-list]", dialog);
    this._hereSaid = find("[data-here-said]", dialog);
    this._onPick = onPick;
    this._hereList.addEventListener("click", (event) => {
      const id = event.target.closest("[data-remove]")?.dataset.remove;
      if (id) this._remove(id, onRemove);
    });
    this._attached = [];
    this._isFull = false;
    this._page = 0;
    const input = find("[data-choose]", dialog);
    const take = (files) => {
      dialog.close();
      onFiles(files);
    };
    input.addEventListener("change", () => {
      if (input.files.length) take([...input.files]);
      input.value = "";
    });
    new DropZone(find("[data-drop]", dialog), take);
    this._more.addEventListener("click", () => this._load());
  }

  open() {
    setText(this._hereSaid, "");
    this._dialog.showModal();
    this._page = 0;
    this._list.replaceChildren();
    this._load();
  }

  close() {
    if (this._dialog.open) this._dialog.close();
  }

  /**
   * @param {import("../session/messages.js").AttachedRecording[]} attached
   * @param {boolean} isFull  no more fit into the conversation
   */
  show(attached, isFull) {
    this._attached = attached.map(({ id }) => id);
    this._isFull = isFull;
    this._here.hidden = attached.length === 0;
    const hadFocus = this._hereList.contains(document.activeElement);
    const lines = attached.map(hereLine);
    if (this._hereList.children.length !== lines.length || lines.some((line, place) => !line.isEqualNode(this._hereList.children[place]))) {
      this._hereList.replaceChildren(...lines);
      if (hadFocus) find("h2", this._dialog).focus();
    }
    for (const button of this._list.querySelectorAll("button")) this._mark(button);
  }

  async _remove(id, onRemove) {
    setText(this._hereSaid, "");
    setText(this._hereSaid, (await onRemove(id)) || gettext("It is taken out, and stays in your files."));
    if (document.activeElement === document.body) find("h2", this._dialog).focus();
  }

  async _load() {
    const page = this._page + 1;
    setText(this._said, LOADING);
    this._more.hidden = true;
    const address = `${this._dialog.dataset.recordings}?page=${page}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!this._dialog.open) return;
    if (!found) return setText(this._said, UNREACHABLE);
    this._page = page;
    const first = found.recordings.map((recording) => this._line(recording)).map((line) => this._list.appendChild(line))[0];
    if (page > 1) first?.querySelector("button").focus();
    setText(this._said, this._list.children.length ? "" : NONE);
    this._more.hidden = page >= found.pages;
  }

  _line(recording) {
    const name = element("span", { class: "picker__name", dir: "auto" }, [recording.name]);
    const about = element("span", { class: "picker__about" }, [lengthWords(recording.duration_ms)]);
    const state = element("span", { class: "picker__state" });
    const button = element("button", { class: "picker__one", type: "button", "data-id": recording.id }, [icon("recording"), name, about, state]);
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      this._dialog.close();
      this._onPick(recording);
    });
    this._mark(button);
    return element("li", {}, [button]);
  }

  _mark(button) {
    const isHere = this._attached.includes(button.dataset.id);
    button.setAttribute("aria-disabled", String(isHere || this._isFull));
    setText(button.querySelector(".picker__state"), isHere ? gettext("In this conversation") : this._isFull ? gettext("No more fit in") : "");
  }
}

/** With how far it is written down, and when its copy at the provider ends. */
function hereLine({ id, name, duration_ms: lengthMs, work, provider }) {
  const link = element("a", { href: `${document.documentElement.dataset.filesUrl}${id}/`, target: "_blank", rel: "noopener" }, [name]);
  const about = element("span", { class: "picker__about" }, [[lengthOnClock(lengthMs), workWords(work, lengthMs), providerWords(provider)].filter(Boolean).join(" · ")]);
  const remove = element("button", { class: "button button--small", type: "button", "data-remove": id }, [
    gettext("Remove"),
    element("span", { class: "visually-hidden" }, [` ${name}`]),
  ]);
  return element("li", { class: "picker__here" }, [link, about, remove]);
}

function workWords({ state, done_ms: doneMs, error }, lengthMs) {
  if (state === "done") return gettext("written down");
  if (state === "failed") return interpolate(gettext("could not be written down: %(error)s"), { error });
  if (!doneMs) return gettext("being written down");
  return interpolate(gettext("being written down, up to %(done)s of %(length)s"), { done: clock(doneMs), length: lengthOnClock(lengthMs) });
}

function providerWords({ state, expires_at: expiresAt, reason }) {
  if (state === "active" && expiresAt) {
    // Translators: such as "expires at Google on Monday at 09:00".
    return interpolate(gettext("expires at Google %(when)s"), { when: moment(Date.parse(expiresAt), Date.now()) });
  }
  if (state === "uploading" || state === "processing") return gettext("on its way to Google");
  return state === "failed" ? interpolate(gettext("not at Google: %(reason)s"), { reason }) : "";
}
