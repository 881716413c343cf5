/** Shows the rehearsed talk of the start page: words as they are said, the line as it is, and the plug to pull. */

import { element, find, setText } from "../helpers/dom.js";
import { gettext, interpolate, ngettext } from "../helpers/gettext.js";
import { rehearsalAt, TORN_BY_ITSELF_MS } from "../welcome/rehearsal.js";

const LONGEST_STEP_MS = 100;
/** A page that was not looked at goes on where it was. */

const GO_ON = gettext("Go on");
const LINE_WORDS = { up: gettext("Connected"), torn: gettext("Line torn"), back: gettext("Connected") };
const LINE_DETAILS = { up: "", torn: gettext("What you say is kept"), back: gettext("Back after 2.6 s, nothing lost") };

export class RehearsalView {
  /** @param {HTMLElement} root */
  constructor(root) {
    this._root = root;
    this._lines = [...root.querySelectorAll("[data-said]")].map(intoWords);
    this._word = find("[data-line-word]", root);
    this._detail = find("[data-line-detail]", root);
    this._plug = find("[data-pull]", root);
    this._play = find("[data-play]", root);
    this._nowMs = 0;
    this._pulledMs = [];
    this._frame = 0;
    this._seenMs = 0;
    this._plug.addEventListener("click", () => this._pull());
    this._play.addEventListener("click", () => this._pressPlay());
    find("[data-rehearsal-buttons]", root).hidden = false;
  }

  start() {
    this._nowMs = 0;
    this._pulledMs = [];
    this._run();
  }

  /** All of it at once, for whoever does not want things to move. */
  showEnd() {
    setText(this._play, gettext("Play it"));
    this._plug.disabled = true;
  }

  _run() {
    this._seenMs = performance.now();
    const step = (timeMs) => {
      this._nowMs += Math.min(timeMs - this._seenMs, LONGEST_STEP_MS);
      this._seenMs = timeMs;
      if (!this._pulledMs.length && this._nowMs >= TORN_BY_ITSELF_MS) this._pulledMs.push(this._nowMs);
      this._frame = this._show() ? 0 : requestAnimationFrame(step);
    };
    cancelAnimationFrame(this._frame);
    this._frame = requestAnimationFrame(step);
    setText(this._play, gettext("Pause"));
  }

  _pressPlay() {
    if (this._frame) {
      cancelAnimationFrame(this._frame);
      this._frame = 0;
      this._plug.disabled = true;
      setText(this._play, GO_ON);
    } else if (this._play.textContent === GO_ON) this._run();
    else this.start();
  }

  _pull() {
    this._root.dataset.pulled = "";
    this._detail.setAttribute("role", "status"); // whoever pressed wants to hear what comes of it
    this._pulledMs.push(this._nowMs);
    this._show();
  }

  /** @returns {boolean}  whether that was the end */
  _show() {
    const { line, said, isKept, speaker, isOver } = rehearsalAt(this._nowMs, this._pulledMs, this._lines.map(countOf));
    this._root.dataset.line = line;
    this._root.dataset.speaker = isOver ? "" : speaker;
    setText(this._word, LINE_WORDS[line]);
    setText(this._detail, isOver ? heldWords(this._pulledMs.length) : LINE_DETAILS[line]);
    this._lines.forEach((words, place) => words.forEach((word, index) => (word.dataset.is = index < said[place] ? "said" : "")));
    this._lines[2].forEach((word) => isKept && word.dataset.is && (word.dataset.is = "kept"));
    this._plug.disabled = line === "torn" || isOver;
    if (isOver) setText(this._play, gettext("Once more"));
    return isOver;
  }
}

function heldWords(times) {
  return interpolate(ngettext("Held once, nothing lost", "Held %(count)s times, nothing lost", times), { count: times });
}

function countOf(words) {
  return words.length;
}

/** Each word in an element of its own; the sentence stays one for whoever reads it otherwise. */
function intoWords(line) {
  const words = line.textContent.trim().split(/\s+/).map((text) => element("span", { class: "rehearsal__word" }, [text]));
  line.replaceChildren(...words.flatMap((word) => [word, " "]));
  return words;
}
