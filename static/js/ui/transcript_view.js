/**
 * The transcript: one element for each turn, replaced as it grows.
 *
 * Lines that still grow stand below the log, out of reach of screen readers; a line enters the log when it is whole, and only
 * then it is read out.
 */

import { element, icon, setText } from "../helpers/dom.js";
import { callTime } from "../helpers/time.js";
import { ROLE, TURN_CODE, TURN_STATUS } from "../session/protocol.js";
import { shownDelivery, untakenMessages } from "../session/session_state.js";
import { copyButton } from "./copy_button.js";
import { renderMarkdown } from "./markdown.js";

const SPEAKERS = { [ROLE.USER]: "You", [ROLE.MODEL]: "Holdline", [ROLE.SYSTEM]: "Notice" };
const DELIVERY_WORDS = { sending: "Sending", sent: "Sent", delivered: "Delivered", failed: "Not sent" };

export class TranscriptView {
  /**
   * @param {HTMLElement} root  with `[data-log]` and `[data-growing]`
   * @param {object} options
   * @param {(text: string) => void} options.onSendAgain
   */
  constructor(root, { onSendAgain }) {
    this._log = root.querySelector("[data-log]");
    this._growing = root.querySelector("[data-growing]");
    this._onSendAgain = onSendAgain;
    /** @type {Map<string, Line>} */
    this._lines = new Map();
    this._conversation = null;
    this._firstKey = null;
    this._muted = null;
  }

  /** The first line that is shown, if any. */
  get firstLine() {
    return this._lines.get(this._firstKey)?.node ?? null;
  }

  /** @param {import("../session/session_state.js").SessionState} state */
  show(state) {
    const entries = entriesOf(state);
    const wanted = new Set(entries.map((entry) => entry.key));
    const isLonger = wanted.has(this._firstKey) && entries[0].key !== this._firstKey;
    if (state.conversation !== this._conversation || isLonger) this._muteWhileLoading();
    this._conversation = state.conversation;
    this._firstKey = entries[0]?.key ?? null;
    for (const [key, line] of this._lines) if (!wanted.has(key)) this._remove(key, line);
    for (const entry of entries) this._lineFor(entry).show(entry);
    this._arrange(entries);
  }

  /** A stored transcript that is put back is not news. */
  _muteWhileLoading() {
    this._log.setAttribute("aria-live", "off");
    clearTimeout(this._muted);
    this._muted = setTimeout(() => this._log.setAttribute("aria-live", "polite"), 500);
  }

  _lineFor(entry) {
    const existing = this._lines.get(entry.key);
    if (existing) return existing;
    const line = new Line(entry.role, this._onSendAgain);
    this._lines.set(entry.key, line);
    return line;
  }

  _remove(key, line) {
    line.node.remove();
    this._lines.delete(key);
  }

  _arrange(entries) {
    const [whole, growing] = [[], []];
    for (const entry of entries) {
      (entry.status === TURN_STATUS.PARTIAL ? growing : whole).push(this._lines.get(entry.key).node);
    }
    placeInOrder(this._log, whole);
    placeInOrder(this._growing, growing);
  }
}

/** One turn, or one typed message that has no turn yet. */
class Line {
  constructor(role, onSendAgain) {
    this._role = role;
    this._shown = "";
    this._text = "";
    this._written = "";
    this._body = element("div", { class: "turn__body" });
    this._foot = element("p", { class: "turn__foot" });
    const speaker = element("h2", { class: "turn__speaker" }, [SPEAKERS[role] ?? ""]);
    const sign = role === ROLE.SYSTEM ? [icon("info")] : [];
    this.node = element("article", { class: "turn", "data-role": role }, [...sign, speaker, this._body, this._foot]);
    this._state = element("span", { class: "turn__state" });
    this._again = element("button", { type: "button", class: "link-button" }, ["Send again"]);
    this._again.addEventListener("click", () => onSendAgain(this._text));
    this._unanswered = "";
    this._ask = element("button", { type: "button", class: "link-button" }, ["Ask again"]);
    this._ask.addEventListener("click", () => onSendAgain(this._unanswered));
    this._copy = copyButton(() => this._text, "Copy", " message");
  }

  show(entry) {
    const shown = JSON.stringify(entry);
    if (shown === this._shown) return;
    this._shown = shown;
    if (entry.turn !== undefined) this.node.dataset.turn = String(entry.turn);
    this.node.dataset.status = entry.status;
    this.node.dataset.delivery = entry.delivery ?? "";
    this.node.toggleAttribute("data-writing", entry.isWriting === true);
    this._write(entry);
    this._writeFoot(entry);
  }

  /**
   * `heard`: characters of a reply; the rest was not played any more. `goesOnFrom`: of the line that says from which call
   * this one goes on.
   */
  _write({ text, heard, goesOnFrom }) {
    const written = JSON.stringify([text, heard, goesOnFrom]);
    if (written === this._written) return;
    this._written = written;
    this._text = text;
    if (goesOnFrom) this._body.replaceChildren(...linkTo(goesOnFrom));
    else if (this._role === ROLE.MODEL) this._body.replaceChildren(...spokenParts(text, heard));
    else setText(this._body, text);
  }

  _writeFoot({ status, delivery, code, unanswered }) {
    setText(this._state, stateWord(status, delivery, code));
    const children = [this._state];
    if (delivery === "failed") children.push(this._again);
    this._unanswered = unanswered ?? "";
    if (this._unanswered) children.push(this._ask);
    if (this._role === ROLE.MODEL && status !== TURN_STATUS.PARTIAL) children.push(this._copy, ...this._codeButtons());
    this._foot.replaceChildren(...children.filter((child) => child !== this._state || child.textContent));
  }

  _codeButtons() {
    const blocks = [...this._body.querySelectorAll("pre")];
    return blocks.map((block, index) => {
      const name = blocks.length > 1 ? `Copy code ${index + 1}` : "Copy code";
      return copyButton(() => block.textContent, name);
    });
  }
}

function entriesOf(state) {
  const deliveries = new Map(state.typed.map(({ id, delivery }) => [id, shownDelivery(state, delivery)]));
  const turns = state.turns.map((turn) => ({
    key: turn.id ? `typed-${turn.id}` : `${turn.role}-${turn.turn}`,
    ...turn,
    delivery: deliveries.get(turn.id),
    isWriting: turn.status === TURN_STATUS.PARTIAL && turn.turn !== state.producedTurn,
    unanswered: turn.code === TURN_CODE.NO_ANSWER ? lastTypedBefore(state.turns, turn) : undefined,
    goesOnFrom: turn.code === TURN_CODE.GOES_ON ? state.goesOnFrom : undefined,
  }));
  const waiting = untakenMessages(state).map(({ id, text }) => ({
    key: `typed-${id}`,
    role: ROLE.USER,
    text,
    status: TURN_STATUS.COMPLETE,
    delivery: deliveries.get(id),
  }));
  return [...turns, ...waiting];
}

/** What was asked and has no answer, if it was typed: only that can be asked again with a button. */
function lastTypedBefore(turns, { turn }) {
  const asked = turns.findLast((other) => other.role === ROLE.USER && other.turn < turn);
  return asked?.id ? asked.text : undefined;
}

/** The line that says from which call this one goes on; the link leaves the page alone, in which the call is. */
function linkTo({ conversation, title, ended_at: endedAt }) {
  const href = `${document.documentElement.dataset.historyUrl}${encodeURIComponent(conversation)}/`;
  const words = `your call of ${callTime(Date.parse(endedAt), Date.now())}`;
  const link = element("a", { href, target: "_blank", rel: "noopener" }, [words]);
  return ["This call goes on from ", link, title ? `: ${title}` : "."];
}

/** What was heard of a reply, and marked in words the rest. */
function spokenParts(text, heard) {
  if (heard === undefined) return [renderMarkdown(text)];
  const characters = [...text];
  const rest = characters.slice(heard).join("").trim();
  if (!rest) return [renderMarkdown(text)];
  const spoken = characters.slice(0, heard).join("");
  const mark = element("span", { class: "turn__unheard-mark" }, ["Not heard:"]);
  const unheard = element("div", { class: "turn__unheard" }, [mark, renderMarkdown(rest)]);
  return spoken.trim() ? [renderMarkdown(spoken), unheard] : [unheard];
}

function stateWord(status, delivery, code) {
  if (code === TURN_CODE.GIVEN_AGAIN && status === TURN_STATUS.COMPLETE) return "Cut by the line, given again";
  if (code === TURN_CODE.CUT && status === TURN_STATUS.INTERRUPTED) return "Cut by the line";
  if (status === TURN_STATUS.INTERRUPTED) return "Interrupted";
  return DELIVERY_WORDS[delivery] ?? "";
}

/** Moves only what is out of place: an element that stays keeps its focus, its selection and its silence. */
function placeInOrder(parent, nodes) {
  let next = parent.firstElementChild;
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
}
