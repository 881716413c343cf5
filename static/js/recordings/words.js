/** What is said of files and of how far they are. Pure. */

import { clock } from "../helpers/time.js";

const MB = 1_000_000;
/** As the provider counts. */
const TOKENS_PER_S = 32;

/** @returns {string}  a length to the nearest second, as the server says it: "12:40" or "1:02:03" */
export const lengthOnClock = (ms) => clock(Math.round(ms / 1000) * 1000);

/**
 * @param {number} ms  of sound
 * @returns {string}  such as "12:40, about 24,320 tokens"
 */
export function lengthWords(ms) {
  const tokens = Math.ceil((ms / 1000) * TOKENS_PER_S);
  return `${lengthOnClock(ms)}, about ${tokens.toLocaleString("en-GB")} tokens`;
}

/** @returns {string}  such as "25 KB", "1.5 MB" or "300 MB", as the server says it */
export function sizeWords(bytes) {
  if (bytes < MB) return `${Math.max(1, Math.round(bytes / 1000))} KB`;
  return bytes < 10 * MB ? `${(bytes / MB).toFixed(1)} MB` : `${Math.round(bytes / MB)} MB`;
}

/** @returns {string}  such as "about 20 seconds left" */
export function leftWords(bytes, bytesPerS) {
  if (!(bytesPerS > 0)) return "";
  const seconds = bytes / bytesPerS;
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} minute${minutes === 1 ? "" : "s"} left`;
  return "more than an hour left";
}

/**
 * @param {{state: string, received: number, size: number, bytesPerS: number, text: string}} upload
 * @returns {string}  a line about it
 */
export function progressWords({ state, received, size, bytesPerS, text }) {
  const far = `${sizeWords(received)} of ${sizeWords(size)}`;
  switch (state) {
    case "waiting":
      return "Waits for its turn.";
    case "sending":
      return [far, leftWords(size - received, bytesPerS)].filter(Boolean).join(", ");
    case "torn":
      return `The connection is lost. ${far} are there; it goes on by itself.`;
    case "paused":
      return text || `Paused. ${far} are there.`;
    case "checking":
      return "All of it is there. It is being checked …";
    case "done":
      return text || "Done.";
    case "cancelled":
      return "Cancelled.";
    default:
      return text;
  }
}

/** @returns {number}  0 to 100, whole */
export function percent(received, size) {
  return size > 0 ? Math.floor((received / size) * 100) : 0;
}

/** @returns {string}  what is said when not all of the files are taken; empty when they are */
export function leftOutWords(chosen, taken) {
  const left = chosen - taken;
  if (!left) return "";
  return `${left} of ${chosen} files ${left === 1 ? "was" : "were"} left out: this page takes 100 at a time. Close some lines first.`;
}

export const NOT_LOGGED_IN = "You are not logged in any more. Log in in another tab, then continue here.";
export const REFUSED = "The server does not take this file.";
export const EMPTY = "This file is empty.";
