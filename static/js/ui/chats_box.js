/** The list of chats in a box beside the chat: the page of the server that has it, without leaving this one. */

import { find, setText } from "../helpers/dom.js";
import { fetchDocument } from "../helpers/fetch_document.js";
import { gettext } from "../helpers/gettext.js";
import { showLocalTimes } from "./local_times.js";

const UNREACHABLE = gettext("The chats could not be loaded. Try again in a moment.");
const RETURNED = "#chats";

export class ChatsBox {
  /**
   * @param {HTMLDialogElement} dialog  with a place for the list, and a status
   * @param {object} options
   * @param {HTMLElement} options.opener  a button
   * @param {() => string | null} options.getCurrent  the id of the chat that is open in this page
   */
  constructor(dialog, { opener, getCurrent }) {
    this._dialog = dialog;
    this._getCurrent = getCurrent;
    this._place = find("[data-chats-place]", dialog);
    this._status = find("[data-chats-status]", dialog);
    this._address = dialog.dataset.url;
    opener.addEventListener("click", () => this.open());
    dialog.addEventListener("click", (event) => this._onClick(event));
    dialog.addEventListener("submit", (event) => this._onSubmit(event));
    if (location.hash === RETURNED) this._return();
  }

  open() {
    this._address = this._dialog.dataset.url;
    setText(this._status, this._place.childElementCount === 0 ? gettext("Loading") : "");
    this._dialog.showModal();
    this._load();
  }

  /** From the page that renames: it leads back to this box. */
  _return() {
    history.replaceState(history.state, "", location.pathname + location.search);
    this.open();
  }

  close() {
    this._dialog.close();
  }

  async _load() {
    const page = await fetchDocument(this._address);
    const list = page?.querySelector("[data-chats]");
    setText(this._status, list ? "" : UNREACHABLE);
    if (!list) return;
    showLocalTimes(list);
    for (const rename of list.querySelectorAll("[data-rename]")) rename.search = "?from=text";
    this._place.replaceChildren(document.adoptNode(list));
    const current = this._place.querySelector(`[data-chat="${this._getCurrent()}"] .chat__title`);
    if (!current) return;
    current.setAttribute("aria-current", "page");
    current.dataset.openHere = gettext("Open here");
  }

  /** A press beside the box closes it. */
  async _onClick(event) {
    const { target } = event;
    if (target === this._dialog || target.closest("[data-chats-close]")) this.close();
    const other = target.closest("[data-chats-page]");
    if (!other || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this._address = other.getAttribute("href");
    await this._load();
    this._dialog.scrollTop = 0;
    this._place.querySelector("a")?.focus();
  }

  /** Pinned or let go, it stands elsewhere in the list; the focus goes along. */
  async _onSubmit(event) {
    event.preventDefault();
    const form = event.target;
    const { chat } = form.closest("[data-chat]").dataset;
    const wasPinned = form.closest("[data-pinned]") !== null;
    try {
      const { ok } = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).then(
        ({ type, ok: done }) => ({ ok: done || type === "opaqueredirect" }),
      );
      if (!ok) throw new Error("refused");
    } catch {
      setText(this._status, UNREACHABLE);
      return;
    }
    this._address = this._dialog.dataset.url;
    await this._load();
    setText(this._status, wasPinned ? gettext("Unpinned") : gettext("Pinned"));
    this._place.querySelector(`[data-chat="${chat}"] button`)?.focus();
  }
}
