/** Times in an answer about recordings, as links that play from there. */

import { element } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { spokenTime, timesIn } from "../recordings/times.js";

/** Where a time is code, or leads elsewhere, it stays as it is. */
const LEFT_ALONE = "a, code, pre";

/**
 * @template {DocumentFragment | Element} Part
 * @param {Part} part  of a page; changed in place
 * @param {{id: string, name: string, lengthMs: number}[]} about  the recordings that it is about, in order
 * @param {string} pages  the address below which each has its page
 * @returns {Part}
 */
export function linkTimes(part, about, pages) {
  if (about.length === 0) return part;
  const lengths = about.map(({ lengthMs }) => lengthMs);
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement?.closest(LEFT_ALONE)) texts.push(walker.currentNode);
  for (const text of texts) {
    const times = timesIn(text.data, lengths);
    if (times.length > 0) text.replaceWith(...pieces(text.data, times, about, pages));
  }
  return part;
}

function pieces(text, times, about, pages) {
  const made = [];
  let end = 0;
  for (const time of times) {
    const { id, name } = about[time.recording];
    const link = element("a", {
      class: "time-link",
      href: `${pages}${id}/#t=${time.atMs / 1000}`,
      target: "_blank",
      rel: "noopener",
      title: titleOf(name, spokenTime(time.atMs)),
      "data-play-recording": id,
      "data-play-ms": String(time.atMs),
    });
    link.append(text.slice(time.start, time.end));
    made.push(text.slice(end, time.start), link);
    end = time.end;
  }
  return [...made, text.slice(end)];
}

function titleOf(name, time) {
  if (!name) return interpolate(gettext("Play the recording from %(time)s"), { time });
  return interpolate(gettext("Play %(name)s from %(time)s"), { name, time });
}

/**
 * Whoever wants the page of the recording, in a tab of its own, gets that.
 *
 * @param {MouseEvent} event  a click
 * @param {(recording: string, atMs: number) => void} onPlay
 */
export function playedBy(event, onPlay) {
  const link = event.target.closest("[data-play-recording]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  onPlay(link.dataset.playRecording, Number(link.dataset.playMs));
}
