/** Times of a recording: as they are said, and where they stand in what a model says about one. Pure. */

import { count, together } from "../helpers/time.js";

const MINUTE_S = 60;
/** A clock's hour is no time of a recording, nor is a part of a longer figure. */
const TIME = /(?:#(\d{1,2})[ \u00a0])?(?<![\d:.,/-])(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?![\d:]|[.,]\d|[ \u00a0]?(?:[ap]\.?m\b|o['’]clock|Uhr))/gi;

/**
 * @param {number} ms
 * @returns {string}  such as "1 minute 7 seconds" or "62 minutes 0 seconds": every figure is heard
 */
export function spokenTime(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, rest] = [Math.floor(seconds / MINUTE_S), seconds % MINUTE_S];
  return together([minutes && count(minutes, "minute"), count(rest, "second")]);
}

/**
 * @typedef {object} TimeInText
 * @property {number} start  the first character of it
 * @property {number} end  the one behind it
 * @property {number} recording  the place of the recording that is meant
 * @property {number} atMs
 */

/**
 * Where a text names times of recordings: `12:41` and `1:02:41` of the first, `#2 12:41` of the second. What is beyond the end
 * of the recording means something else.
 *
 * @param {string} text
 * @param {number[]} lengthsMs  of the recordings that it is about
 * @returns {TimeInText[]}  in order
 */
export function timesIn(text, lengthsMs) {
  const found = [];
  for (const match of text.matchAll(TIME)) {
    const [whole, number, hours, minutes, seconds] = match;
    if (hours !== undefined && Number(minutes) >= MINUTE_S) continue;
    const recording = number === undefined ? 0 : Number(number) - 1;
    const atMs = ((Number(hours ?? 0) * 60 + Number(minutes)) * MINUTE_S + Number(seconds)) * 1000;
    if (atMs > (lengthsMs[recording] ?? -1)) continue;
    found.push({ start: match.index, end: match.index + whole.length, recording, atMs });
  }
  return found;
}

/**
 * @param {{startMs: number}[]} passages  in order
 * @param {number} atMs
 * @returns {number}  the place of the one that is being said, or was said last; -1 before the first
 */
export function placeAt(passages, atMs) {
  let [low, high] = [0, passages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passages[middle].startMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
