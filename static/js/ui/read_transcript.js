/**
 * A transcript of the history, which comes as plain text, as the live pages show theirs: Markdown and code of the model, days,
 * and what can be done with a message. Without a script it is read as it comes.
 */

import { element } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { placesOf } from "../session/find_words.js";
import { ROLE } from "../session/protocol.js";
import { highlightCode } from "./code_blocks.js";
import { copyButton } from "./copy_button.js";
import { withDays } from "./days.js";
import { renderMarkdown } from "./markdown.js";

/** @param {HTMLElement} log  with an element for each turn, some of them within folds */
export function dressTranscript(log) {
  for (const turn of log.querySelectorAll(".turn")) {
    turn.querySelector("time")?.classList.add("turn__time");
    if (turn.dataset.role !== ROLE.SYSTEM) dress(turn);
  }
  const lines = [...log.children].map((node) => ({ node, atMs: Date.parse(node.querySelector("time")?.dateTime ?? "") }));
  log.replaceChildren(...withDays(lines, Date.now()));
}

function dress(turn) {
  const body = turn.querySelector(".turn__body");
  const unheard = body.querySelector(".turn__unheard");
  const text = textOf(body);
  if (turn.dataset.role === ROLE.MODEL) {
    const found = [...body.querySelectorAll("mark")].map((mark) => mark.textContent);
    unheard?.remove();
    body.replaceChildren(renderMarkdown(body.textContent));
    if (unheard) body.append(unheard);
    body.classList.add("turn__body--dressed");
    highlightCode(body).then(() => markAgain(body, new Set(found)));
  }
  turn.querySelector(".turn__foot").prepend(copyButton(() => text, gettext("Copy"), gettext("Copy message")));
}

/** As it was said, with what was not heard, and without our own words about that. */
function textOf(body) {
  const copy = body.cloneNode(true);
  for (const mark of copy.querySelectorAll(".turn__unheard-mark")) mark.remove();
  return copy.textContent;
}

/** What a search has found was marked in the plain text. */
function markAgain(body, words) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const places = [...words].flatMap((word) => placesOf(text.data, word)).sort((one, other) => other.start - one.start);
    for (const { start, end } of places) {
      if (end > text.length) continue;
      const range = new Range();
      range.setStart(text, start);
      range.setEnd(text, end);
      range.surroundContents(element("mark"));
    }
  }
}
