/** The lobby's offer to continue the call that was left in the midst of it. Without one the lobby is as it always is. */

import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { callTime } from "../helpers/time.js";
import { leftHereAt } from "../session/leaving.js";

const TICK_MS = 5000;
const START = { title: gettext("Start a call"), button: gettext("Start the call") };

export class LeftCallOffer {
  /**
   * @param {HTMLElement | null} root  null: the server knows of none
   * @param {object} lobby
   * @param {HTMLElement} lobby.title
   * @param {HTMLElement} lobby.continueButton
   * @param {HTMLElement} lobby.startButton
   * @param {HTMLAnchorElement | null} lobby.inText  leads to the text chat
   */
  constructor(root, { title, continueButton, startButton, inText }) {
    this._root = root;
    this._title = title;
    this._continueButton = continueButton;
    this._startButton = startButton;
    this._inText = inText;
    this._call = root && callIn(root.dataset);
    if (this._call === null) return;
    this._show();
    this._ticks = setInterval(() => this._say(), TICK_MS);
    document.addEventListener("visibilitychange", () => this._say());
  }

  /** @returns {string | null}  the id of the call that is offered */
  get offered() {
    return this._call?.conversation ?? null;
  }

  /** Another call has begun, or this one goes on. */
  withdraw() {
    if (this._call === null) return;
    this._call = null;
    clearInterval(this._ticks);
    setText(this._title, START.title);
    this._show();
  }

  _show() {
    const isOffered = this._call !== null;
    this._root.hidden = this._continueButton.hidden = !isOffered;
    this._startButton.classList.toggle("button--primary", !isOffered);
    setText(find("[data-start-word]", this._startButton), isOffered ? gettext("Begin a new call") : START.button);
    if (this._inText) this._leadToText();
    this._say();
  }

  /** The same conversation, where one is offered. */
  _leadToText() {
    this._inText.search = this._call === null ? "" : `?continue=${this._call.conversation}`;
    setText(this._inText, this._call === null ? gettext("Write instead") : gettext("Continue in text"));
  }

  _say() {
    if (this._call === null) return;
    setText(this._title, interpolate(gettext("Your call of %(when)s"), { when: callTime(this._call.leftMs, Date.now()) }));
  }
}

/** One that a page has open is offered in the browser alone that has left it. */
function callIn({ conversation, leftAt, open }) {
  const leftHereMs = leftHereAt(conversation);
  if (leftHereMs === null && open === "yes") return null;
  return { conversation, leftMs: leftHereMs ?? Date.parse(leftAt) };
}
