/** What a conversation's page does with recordings: wires the tray, the dialog and the player at its foot to the session. */

import { element, find, icon, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { draft } from "../helpers/storage.js";
import { afterSending, askedWords, inConversation, NOTHING, withAttached, withSwitched } from "../recordings/asked.js";
import { RecordingFacts } from "../recordings/facts.js";
import { lengthOnClock } from "../recordings/words.js";
import { LIMIT } from "../session/protocol.js";
import { Announcer } from "../ui/announcer.js";
import { DropZone } from "../ui/drop_zone.js";
import { PlayerDock } from "../ui/player_dock.js";
import { RecordingPicker } from "../ui/recording_picker.js";

const UNREACHABLE = gettext("The server cannot be reached. Try again.");
const ASKED_KEY = "holdline:asked-about";
const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export class ConversationRecordings {
  /**
   * @param {object} options
   * @param {(id: string) => void} options.onAttach
   * @param {(id: string) => void} options.onTakeBack  one that was to be attached to a conversation that has not begun
   * @param {() => void} options.onReturn  the focus goes back to where people write
   */
  constructor({ onAttach, onTakeBack, onReturn }) {
    this._onAttach = onAttach;
    this._onTakeBack = onTakeBack;
    this._tray = document.querySelector("[data-tray]");
    /** Where the server takes none, there is nothing to show and nothing to ask about. */
    this._isOn = this._tray !== null;
    this._attached = [];
    /** Attached by this page, and not in the conversation's list yet. */
    this._pending = new Map();
    this._asked = this._isOn ? remembered() : NOTHING;
    this._conversation = null;
    if (this._isOn) this._build(onReturn);
  }

  _build(onReturn) {
    const dialog = find("[data-attach-dialog]");
    this._facts = new RecordingFacts(dialog.dataset.recordings);
    this._chips = find("[data-chips]", this._tray);
    this._words = find("[data-asks]", this._tray);
    this._dock = new PlayerDock(find("[data-dock]", this._tray), {
      factsOf: (id) => this.factsOf(id),
      onChange: () => this._show(),
    });
    /** @type {import("../ui/upload_list.js").UploadList | null}  null until there is a file: most conversations have none */
    this._uploads = null;
    this._leftOut = find("[data-left-out]", this._tray);
    this._picker = new RecordingPicker(dialog, {
      onFiles: (files) => this._take(files),
      onPick: (recording) => this._attach(recording),
      onRemove: (id) => this._remove(id),
    });
    dialog.addEventListener("close", onReturn);
    for (const button of document.querySelectorAll("[data-attach]")) button.addEventListener("click", () => this._picker.open());
    new DropZone(find("main"), (files) => this._take(files));
    document.addEventListener("paste", (event) => this._onPaste(event));
    this._chips.addEventListener("click", (event) => {
      const { chip, remove } = event.target.closest("button")?.dataset ?? {};
      if (remove) this._takeBack(remove);
      else if (chip) this._change(withSwitched(this._asked, chip));
    });
    this._attachLinked();
  }

  /** @returns {string[]}  ids of what the next message asks about */
  get asked() {
    const here = this._all().map(({ id }) => id);
    return this._asked.ids.filter((id) => here.includes(id));
  }

  /** A message has gone out. */
  sent() {
    this._change(afterSending(this._asked));
  }

  /** @param {import("../session/session_state.js").SessionState} state */
  show({ recordings, conversation }) {
    if (!this._isOn || (recordings === this._attached && conversation === this._conversation)) return;
    this._conversation = conversation;
    this._attached = recordings;
    for (const { id } of recordings) this._pending.delete(id);
    this._change(inConversation(this._asked, conversation));
  }

  /** @param {{code?: string, recording?: string}} message  of the server: an `error` about a recording */
  receive({ recording }) {
    if (this._pending.delete(recording)) this._show();
  }

  /**
   * @param {HTMLElement | null} place  where the tray stands from now on
   * @param {HTMLElement | null} [before]  what in there
   */
  moveTo(place, before = null) {
    if (this._isOn && place && this._tray.parentElement !== place) place.insertBefore(this._tray, before);
  }

  /**
   * @param {string} id
   * @returns {Promise<object | null>}
   */
  factsOf(id) {
    return this._isOn ? this._facts.of(id) : Promise.resolve(null);
  }

  playFrom(id, atMs) {
    if (this._isOn) this._dock.playFrom(id, atMs);
  }

  /** `?about=` in the address: a recording's page leads here. */
  async _attachLinked() {
    const query = new URLSearchParams(location.search);
    const id = query.get("about");
    if (!id || !ID.test(id)) return;
    query.delete("about");
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
    this._attach((await this.factsOf(id)) ?? { id, name: gettext("Recording"), duration_ms: 0 });
  }

  /** Pictures and text that are pasted belong to somebody else. */
  _onPaste(event) {
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => /^(audio|video)\/|^$/.test(type));
    if (files.length === 0) return;
    event.preventDefault();
    this._take(files);
  }

  async _take(files) {
    try {
      const { UploadList } = await import("../ui/upload_list.js");
      this._uploads ??= this._uploadsBy(UploadList);
    } catch {
      setText(this._leftOut, UNREACHABLE);
      this._tray.hidden = false;
      return;
    }
    this._uploads.take(files);
  }

  _uploadsBy(UploadList) {
    const dialog = find("[data-attach-dialog]");
    return new UploadList(find("[data-uploads]", this._tray), {
      address: dialog.dataset.uploader,
      csrf: find("[name=csrfmiddlewaretoken]", dialog).value,
      keep: false,
      atOnce: Number(dialog.dataset.atOnce),
      leftOut: this._leftOut,
      announcer: new Announcer(find("[data-announcer]")),
      dropsDone: true,
      onDone: (recording) => this._attach(recording),
      onChange: () => this._show(),
    });
  }

  _attach(recording) {
    if (!this._attached.some(({ id }) => id === recording.id)) {
      this._pending.set(recording.id, recording);
      this._onAttach(recording.id);
    }
    // What comes before the conversation belongs to that, and not to the one that was remembered.
    const asked = this._conversation === null ? { ...this._asked, conversation: null } : this._asked;
    this._change(withAttached(asked, recording.id));
  }

  /** @returns {Promise<string>}  a sentence where it cannot be; the conversation's list follows by itself */
  async _remove(id) {
    const dialog = find("[data-attach-dialog]");
    const csrf = find("[name=csrfmiddlewaretoken]", dialog).value;
    const answer = await fetch(`${dialog.dataset.recordings}${id}/detach/`, {
      method: "POST",
      headers: { "X-CSRFToken": csrf, "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ conversation: this._conversation }),
    }).catch(() => null);
    if (!answer) return UNREACHABLE;
    if (!answer.ok) return (await answer.json().catch(() => null))?.error?.text ?? gettext("It could not be taken out. Try again.");
    this._attached = this._attached.filter((recording) => recording.id !== id);
    this._show();
    return "";
  }

  _takeBack(id) {
    this._pending.delete(id);
    this._onTakeBack(id);
    this._show();
    const next = this._chips.querySelector("[data-remove]") ?? document.querySelector("[data-lobby-recordings] [data-attach]");
    next?.focus();
  }

  _all() {
    return [...this._attached, ...this._pending.values()];
  }

  _change(asked) {
    this._asked = asked;
    if (!this._isOn) return;
    draft.set(ASKED_KEY, asked.ids.length ? JSON.stringify(asked) : "");
    this._show();
  }

  _show() {
    const [all, asked] = [this._all(), this.asked];
    this._picker.show(this._attached, all.length >= LIMIT.RECORDINGS);
    this._showChips(all, asked);
    const chosen = all.filter(({ id }) => asked.includes(id));
    setText(this._words, askedWords(chosen, all.length, this._uploads?.coming ?? 0, this._conversation !== null));
    this._tray.hidden = !(all.length || this._uploads?.count || this._dock.isOpen);
  }

  /** Each stays the same element, for it may have the focus. */
  _showChips(all, asked) {
    const present = new Map([...this._chips.children].map((item) => [item.firstChild.dataset.chip, item]));
    const items = all.map((recording) => present.get(recording.id) ?? chip(recording));
    for (const item of items) {
      const [button, remove] = item.children;
      button.setAttribute("aria-pressed", String(asked.includes(button.dataset.chip)));
      remove.hidden = this._conversation !== null;
    }
    if (items.length !== present.size || items.some((item, place) => item !== this._chips.children[place])) {
      this._chips.replaceChildren(...items);
    }
  }
}

function chip({ id, name, duration_ms: lengthMs }) {
  const button = element("button", { class: "chip", type: "button", "data-chip": id, title: name }, [
    icon("recording"),
    element("span", { class: "chip__name", dir: "auto" }, [name]),
    element("span", { class: "chip__length" }, [lengthOnClock(lengthMs)]),
  ]);
  const word = element("span", { class: "visually-hidden" }, [interpolate(gettext("Remove %(name)s"), { name })]);
  const remove = element("button", { class: "button button--icon button--plain", type: "button", "data-remove": id }, [icon("close"), word]);
  return element("li", {}, [button, remove]);
}

/** What this tab asked about last, if it still shows that conversation. */
function remembered() {
  try {
    const { conversation, ids } = JSON.parse(draft.get(ASKED_KEY) ?? "null") ?? NOTHING;
    return { conversation, ids, isFresh: false };
  } catch {
    return NOTHING;
  }
}
