/**
 * The transcript: one element for each turn, replaced as it grows.
 *
 * Lines that still grow stand below the log, out of reach of screen readers; a line enters the log when it is whole, and only
 * then it is read out.
 */

import { element, icon, setText } from "../helpers/dom.js";
import { assembled, gettext, interpolate, locale } from "../helpers/gettext.js";
import { byOwnClock, callTime, timeOfDay } from "../helpers/time.js";
import { ROLE, TURN_CODE, TURN_STATUS } from "../session/protocol.js";
import { endAfter } from "../session/captions.js";
import { shownDelivery, untakenMessages } from "../session/session_state.js";
import { questionWords } from "../session/question_words.js";
import { partsOf } from "../session/quotes.js";
import { lastExchange, withdrawnIn } from "../session/replacing.js";
import { AskedCards } from "./asked_cards.js";
import { highlightCode } from "./code_blocks.js";
import { copyButton } from "./copy_button.js";
import { withDays } from "./days.js";
import { folded } from "./earlier_versions.js";
import { renderMarkdown } from "./markdown.js";
import { linkTimes, playedBy } from "./time_links.js";

const SPEAKERS = { [ROLE.USER]: gettext("You"), [ROLE.MODEL]: "Holdline", [ROLE.SYSTEM]: gettext("Notice") };
/** What may be otherwise when it is asked again. */
const MAY_BE_ASKED_AGAIN = [
  TURN_CODE.NO_ANSWER,
  TURN_CODE.RECORDING_NOT_READY,
  TURN_CODE.RECORDING_QUOTA,
  TURN_CODE.RECORDING_REFUSED,
  TURN_CODE.RECORDING_UNAVAILABLE,
];
const { filesUrl } = document.documentElement.dataset;
const DELIVERY_WORDS = { sending: gettext("Sending"), sent: gettext("Sent"), delivered: gettext("Delivered"), failed: gettext("Not sent") };

export class TranscriptView {
  /**
   * @param {HTMLElement} root  with `[data-log]` and `[data-growing]`
   * @param {object} options
   * @param {(text: string, recordings: string[]) => void} options.onSendAgain
   * @param {(text: string) => void} options.onQuote  somebody wants to write about what was said
   * @param {() => void} [options.onEdit]  the last question is to be written anew; without it none can be
   * @param {() => void} [options.onAnswerAgain]  another answer to it is wanted
   * @param {(recording: string, atMs: number) => void} options.onPlay  a time in an answer was pressed
   * @param {(recording: string) => Promise<object | null>} options.factsOf  a recording as the server describes it
   */
  constructor(root, { onSendAgain, onQuote, onEdit, onAnswerAgain, onPlay, factsOf }) {
    this._log = root.querySelector("[data-log]");
    this._growing = root.querySelector("[data-growing]");
    this._forLines = { onSendAgain, onQuote, onEdit, onAnswerAgain, factsOf };
    this._log.addEventListener("click", (event) => playedBy(event, onPlay));
    /** @type {Map<string, Line>} */
    this._lines = new Map();
    /** @type {Map<string, Element>} */
    this._days = new Map();
    /** @type {Map<string, {fold: Element, nodes: Element[]}>}  of what was withdrawn */
    this._folds = new Map();
    this._conversation = null;
    this._firstKey = null;
    this._muted = null;
    /** What is still to be heard: marked without a change of the elements, so that nothing moves. Old browsers do without. */
    this._unheard = globalThis.Highlight ? new Highlight() : null;
    if (this._unheard) CSS.highlights.set("unheard", this._unheard);
  }

  /** The first line that is shown, if any. */
  get firstLine() {
    return this._lines.get(this._firstKey)?.node ?? null;
  }

  get hasLines() {
    return this._lines.size > 0;
  }

  /**
   * @param {import("../session/session_state.js").SessionState} state
   * @param {import("../session/captions.js").Captions} captions
   */
  show(state, captions) {
    const entries = entriesOf(state, captions);
    const wanted = new Set(entries.map((entry) => entry.key));
    const isLonger = wanted.has(this._firstKey) && entries[0].key !== this._firstKey;
    if (state.conversation !== this._conversation || isLonger) this._muteWhileLoading();
    this._conversation = state.conversation;
    this._firstKey = entries[0]?.key ?? null;
    for (const [key, line] of this._lines) if (!wanted.has(key)) this._remove(key, line);
    for (const entry of entries) this._lineFor(entry).show(entry);
    this._arrange(entries);
    this.markHeard(captions);
  }

  /** @param {import("../session/captions.js").Captions} captions */
  markHeard(captions) {
    this._unheard?.clear();
    for (const line of this._lines.values()) {
      const range = line.unheard(captions);
      if (range) this._unheard?.add(range);
    }
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
    const line = new Line(entry.role, this._forLines);
    this._lines.set(entry.key, line);
    return line;
  }

  _remove(key, line) {
    line.end();
    line.node.remove();
    this._lines.delete(key);
  }

  _arrange(entries) {
    const [whole, growing] = [[], []];
    for (const entry of entries) {
      const { node } = this._lines.get(entry.key);
      if (entry.status === TURN_STATUS.PARTIAL) growing.push(node);
      else whole.push({ key: entry.key, node, role: entry.role, withdrawn: entry.withdrawn, atMs: Date.parse(entry.at) });
    }
    placeInOrder(this._log, withDays(folded(whole, this._folds), Date.now(), this._days));
    for (const { fold, nodes } of this._folds.values()) placeInOrder(fold, [fold.firstElementChild, ...nodes]);
    for (const fold of this._log.querySelectorAll(".earlier-version")) if (!fold.querySelector(".turn")) fold.remove();
    placeInOrder(this._growing, growing);
  }
}

/** One turn, or one typed message that has no turn yet. */
class Line {
  constructor(role, { onSendAgain, onQuote, onEdit, onAnswerAgain, factsOf }) {
    this._role = role;
    this._cards = new AskedCards(factsOf);
    this._recordings = [];
    this._shown = "";
    this._text = "";
    this._written = "";
    this._body = element("div", { class: "turn__body", dir: "auto" });
    this._foot = element("p", { class: "turn__foot" });
    const speaker = element("h2", { class: "turn__speaker" }, [SPEAKERS[role] ?? ""]);
    const sign = role === ROLE.SYSTEM ? [icon("info")] : [];
    this.node = element("article", { class: "turn", "data-role": role }, [
      ...sign,
      speaker,
      this._body,
      this._cards.element,
      this._foot,
    ]);
    this._state = element("span", { class: "turn__state" });
    this._again = element("button", { type: "button", class: "link-button" }, [gettext("Send again")]);
    this._again.addEventListener("click", () => onSendAgain(this._text, this._recordings));
    /** @type {{text: string, recordings: string[]} | null} */
    this._unanswered = null;
    this._ask = element("button", { type: "button", class: "link-button" }, [gettext("Ask again")]);
    this._ask.addEventListener("click", () => onSendAgain(this._unanswered.text, this._unanswered.recordings));
    this._time = element("time", { class: "turn__time" });
    this._copy = copyButton(() => this._text, gettext("Copy"), gettext("Copy message"));
    this._quote = lineButton("quote", gettext("Quote"), gettext("Quote message"), () => onQuote(selectedIn(this._body) || this._text));
    if (role === ROLE.USER && onEdit) this._anew = lineButton("edit", gettext("Edit"), gettext("Edit message"), onEdit);
    if (role === ROLE.MODEL && onAnswerAgain) this._anew = lineButton("again", gettext("Answer again"), gettext("Answer again"), onAnswerAgain);
  }

  /** The line is shown no more. */
  end() {
    this._cards.end();
  }

  show(entry) {
    const shown = JSON.stringify(entry);
    if (shown === this._shown) return;
    this._shown = shown;
    this._turn = entry.turn;
    if (entry.turn !== undefined) this.node.dataset.turn = String(entry.turn);
    this.node.dataset.status = entry.status;
    this.node.dataset.delivery = entry.delivery ?? "";
    this.node.toggleAttribute("data-writing", entry.isWriting === true);
    this._recordings = entry.about.map(({ id }) => id);
    this._write(entry);
    if (this._role === ROLE.USER) this._cards.show(entry.about, entry.opens);
    this._writeFoot(entry);
    if (entry.status !== TURN_STATUS.PARTIAL) highlightCode(this._body);
  }

  /** @returns {Range | null}  the words that are still to be heard */
  unheard(captions) {
    if (this._turn === undefined || this._role !== ROLE.MODEL || this.node.dataset.status === TURN_STATUS.INTERRUPTED) return null;
    const letters = captions.heardOf(this._turn);
    return letters === null || letters === Infinity ? null : rangeAfter(this._body, letters);
  }

  /**
   * `heard`: characters of a reply; the rest was not played any more. `goesOnFrom`: of the line that says from which call
   * this one goes on.
   */
  _write({ text, heard, goesOnFrom, about }) {
    const written = JSON.stringify([text, heard, goesOnFrom, about]);
    if (written === this._written) return;
    this._written = written;
    this._text = text;
    if (goesOnFrom) this._body.replaceChildren(...linkTo(goesOnFrom));
    else if (this._role === ROLE.MODEL) this._body.replaceChildren(...spokenParts(text, heard).map((part) => linkTimes(part, about, filesUrl)));
    else if (this._role === ROLE.USER) this._body.replaceChildren(...partsOf(text).map(typedPart));
    else setText(this._body, text);
  }

  _writeFoot({ status, delivery, code, unanswered, question, isLast, at }) {
    setText(this._state, question || stateWord(status, delivery, code));
    const children = [this._state];
    if (delivery === "failed") children.push(this._again);
    this._unanswered = unanswered ?? null;
    if (this._unanswered) children.push(this._ask);
    if (this._role !== ROLE.SYSTEM && status !== TURN_STATUS.PARTIAL) children.push(this._copy, this._quote);
    if (isLast && this._anew) children.push(this._anew);
    if (at) children.push(this._timeOf(at));
    this._foot.replaceChildren(...children.filter((child) => child !== this._state || child.textContent));
  }

  /** Seen where the pointer or the focus is, and always there for who listens. */
  _timeOf(at) {
    const said = new Date(at);
    this._time.dateTime = at;
    this._time.title = said.toLocaleString(locale, { dateStyle: "full", timeStyle: "medium" });
    setText(this._time, timeOfDay(said.getTime()));
    return this._time;
  }
}

/** From the end of the word with the last of these letters to the end. */
function rangeAfter(body, letters) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const end = endAfter(body.textContent, letters);
  let before = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (before + node.length > end) {
      const range = new Range();
      range.setStart(node, end - before);
      range.setEndAfter(body.lastChild);
      return range;
    }
    before += node.length;
  }
  return null;
}

function entriesOf(state, captions) {
  const known = new Map(state.recordings.map((recording) => [recording.id, recording]));
  const wasAsked = new Set();
  const aboutOf = (ids = []) => ids.map((id) => ({ id, name: known.get(id)?.name ?? "", lengthMs: known.get(id)?.duration_ms ?? -1 }));
  /** A recording is unfolded where it was asked about first. */
  const askedIn = ({ role, recordings = [] }) => {
    const opens = role === ROLE.USER ? recordings.filter((id) => known.has(id) && !wasAsked.has(id)) : [];
    for (const id of opens) wasAsked.add(id);
    return { about: aboutOf(recordings), opens };
  };
  const questionOf = (id) => (state.questions[id] ? questionWords(state.questions[id], state.recordings) : "");
  const deliveries = new Map(state.typed.map(({ id, delivery }) => [id, shownDelivery(state, delivery)]));
  const isWithdrawn = withdrawnIn(state);
  const last = lastExchange(state);
  const turns = state.turns.map((turn) => ({
    key: turn.id ? `typed-${turn.id}` : `${turn.role}-${turn.turn}`,
    ...turn,
    text: byOwnClock(turn.text, turn.until, Date.parse(turn.at)),
    withdrawn: isWithdrawn(turn),
    isLast: last !== null && (turn === last.question || turn === last.answer),
    heard: turn.status === TURN_STATUS.INTERRUPTED ? heardOf(turn, captions) : turn.heard,
    delivery: deliveries.get(turn.id),
    isWriting: turn.status === TURN_STATUS.PARTIAL && turn.turn !== state.producedTurn,
    ...askedIn(turn),
    question: questionOf(turn.id),
    unanswered: MAY_BE_ASKED_AGAIN.includes(turn.code) ? lastTypedBefore(state.turns, turn) : undefined,
    goesOnFrom: turn.code === TURN_CODE.GOES_ON ? state.goesOnFrom : undefined,
  }));
  const waiting = untakenMessages(state).map(({ id, text, recordings }) => ({
    key: `typed-${id}`,
    role: ROLE.USER,
    text,
    withdrawn: false,
    ...askedIn({ role: ROLE.USER, recordings }),
    question: questionOf(id),
    status: TURN_STATUS.COMPLETE,
    delivery: deliveries.get(id),
  }));
  return [...turns, ...waiting];
}

/** The page knows better than the server how far it was heard here: in code points. */
function heardOf({ turn, text, heard }, captions) {
  const letters = captions.heardOf(turn);
  if (letters === null) return heard;
  return letters === Infinity ? undefined : [...text.slice(0, endAfter(text, letters))].length;
}

/**
 * What was asked and has no answer, if it was typed: only that can be asked again with a button. A question about
 * recordings may have waited while other messages were answered, and is one whichever page life typed it.
 */
export function lastTypedBefore(turns, line) {
  const about = ({ recordings = [] }) => recordings.join();
  const asked = turns.findLast(
    (other) => other.role === ROLE.USER && other.turn < line.turn && about(other) === about(line),
  );
  return asked?.id || asked?.recordings ? { text: asked.text, recordings: asked.recordings ?? [] } : undefined;
}

/** The line that says from which call this one goes on; the link leaves the page alone, in which the call is. */
function linkTo({ conversation, title, ended_at: endedAt }) {
  const href = `${document.documentElement.dataset.historyUrl}${encodeURIComponent(conversation)}/`;
  const words = interpolate(gettext("your call of %(when)s"), { when: callTime(Date.parse(endedAt), Date.now()) });
  const link = element("a", { href, target: "_blank", rel: "noopener" }, [words]);
  // Translators: "%(call)s" is a link, "your call of Tuesday"; "%(title)s" says what it was about.
  if (title) return assembled(gettext("This call goes on from %(call)s: %(title)s"), { call: link, title });
  return assembled(gettext("This call goes on from %(call)s."), { call: link });
}

function lineButton(sign, label, name, onPress) {
  const button = element("button", { type: "button", class: "copy", "aria-label": name }, [icon(sign), label]);
  button.addEventListener("click", onPress);
  return button;
}

/** What is selected within one message, if anything. */
function selectedIn(body) {
  const selection = document.getSelection();
  const isWithin = body.contains(selection.anchorNode) && body.contains(selection.focusNode);
  return isWithin ? selection.toString().trim() : "";
}

function typedPart({ text, isQuote }) {
  return element(isQuote ? "blockquote" : "p", { dir: "auto" }, [text]);
}

/** What was heard of a reply, and marked in words the rest. */
function spokenParts(text, heard) {
  if (heard === undefined) return [renderMarkdown(text)];
  const characters = [...text];
  // A mark after the last word that was heard is no word that was not.
  while (heard > 0 && /\p{P}/u.test(characters[heard] ?? "")) heard += 1;
  const rest = characters.slice(heard).join("").trim();
  if (!rest) return [renderMarkdown(text)];
  const spoken = characters.slice(0, heard).join("");
  const mark = element("span", { class: "turn__unheard-mark" }, [gettext("Not heard:")]);
  const unheard = element("div", { class: "turn__unheard" }, [mark, renderMarkdown(rest)]);
  return spoken.trim() ? [renderMarkdown(spoken), unheard] : [unheard];
}

function stateWord(status, delivery, code) {
  if (code === TURN_CODE.GIVEN_AGAIN && status === TURN_STATUS.COMPLETE) return gettext("Cut by the line, given again");
  if (code === TURN_CODE.CUT && status === TURN_STATUS.INTERRUPTED) return gettext("Cut by the line");
  if (status === TURN_STATUS.INTERRUPTED) return gettext("Interrupted");
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
