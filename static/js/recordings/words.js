/** What is said of files and of how far they are. Pure. */

import { gettext, interpolate, locale, ngettext } from "../helpers/gettext.js";
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
  const words = ngettext("%(length)s, about %(count)s token", "%(length)s, about %(count)s tokens", tokens);
  return interpolate(words, { length: lengthOnClock(ms), count: tokens.toLocaleString(locale) });
}

/** @returns {string}  such as "25 KB", "1.5 MB" or "300 MB", as the server says it */
export function sizeWords(bytes) {
  if (bytes < MB) return `${Math.max(1, Math.round(bytes / 1000))} KB`;
  if (bytes >= 10 * MB) return `${Math.round(bytes / MB)} MB`;
  return `${Number((bytes / MB).toFixed(1)).toLocaleString(locale, { minimumFractionDigits: 1 })} MB`;
}

/** @returns {string}  such as "about 20 seconds left" */
export function leftWords(bytes, bytesPerS) {
  if (!(bytesPerS > 0)) return "";
  const seconds = bytes / bytesPerS;
  if (seconds < 5) return gettext("a few seconds left");
  const tens = Math.ceil(seconds / 10) * 10;
  if (seconds < 55) return interpolate(ngettext("about %(count)s second left", "about %(count)s seconds left", tens), { count: tens });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return interpolate(ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes), { count: minutes });
  return gettext("more than an hour left");
}

/**
 * @param {{state: string, received: number, size: number, bytesPerS: number, text: string}} upload
 * @returns {string}  a line about it
 */
export function progressWords({ state, received, size, bytesPerS, text }) {
  const far = { received: sizeWords(received), size: sizeWords(size), left: leftWords(size - received, bytesPerS) };
  switch (state) {
    case "waiting":
      return gettext("Waits for its turn.");
    case "sending":
      // Translators: megabytes of a file; the second one also says how long it still takes, such as "about 20 seconds left".
      if (!far.left) return interpolate(gettext("%(received)s of %(size)s"), far);
      return interpolate(gettext("%(received)s of %(size)s, %(left)s"), far);
    case "torn":
      return interpolate(gettext("The connection is lost. %(received)s of %(size)s are there; it goes on by itself."), far);
    case "paused":
      return text || interpolate(gettext("Paused. %(received)s of %(size)s are there."), far);
    case "checking":
      return gettext("All of it is there. It is being checked …");
    case "done":
      return text || gettext("Done.");
    case "cancelled":
      return gettext("Cancelled.");
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
  const words = ngettext(
    "%(left)s of %(chosen)s files was left out: this page takes 100 at a time. Close some lines first.",
    "%(left)s of %(chosen)s files were left out: this page takes 100 at a time. Close some lines first.",
    left,
  );
  return interpolate(words, { left, chosen });
}

export const NOT_LOGGED_IN = gettext("You are not logged in any more. Log in in another tab, then continue here.");
export const REFUSED = gettext("The server does not take this file.");
export const EMPTY = gettext("This file is empty.");
