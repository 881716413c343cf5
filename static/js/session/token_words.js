/**
 * What the session page says of an ephemeral token. Pure.
 *
 * @typedef {object} MadeToken  as `docs/own-client.md` has it
 */

import { gettext, interpolate, ngettext } from "../helpers/gettext.js";
import { duration } from "../helpers/time.js";

const TOO_MANY = 429;
const FAILED = gettext("The token could not be made. Try again.");

/**
 * @param {MadeToken} made
 * @returns {string}  how long it begins sessions, how many, and how long it counts
 */
export function tokenText({ model, uses, new_session_time_left_ms: beginMs, total_time_left_ms: countsMs }) {
  const words = ngettext(
    "It can begin one session with %(model)s within %(begin)s, and counts for %(end)s.",
    "It can begin %(count)s sessions with %(model)s within %(begin)s, and counts for %(end)s.",
    uses,
  );
  return interpolate(words, { count: uses, model, begin: whole(beginMs), end: whole(countsMs) });
}

/**
 * @param {number} status  of the answer
 * @param {{error?: {text?: string}} | null} body  null where it was no JSON
 * @param {string | null} retryAfter  seconds, as the header has them
 * @returns {string}  sentences
 */
export function refusalText(status, body, retryAfter) {
  if (status === 401) return gettext("You are not logged in any more. Load the page again.");
  const text = body?.error?.text;
  if (!text) return FAILED;
  const seconds = Number(retryAfter);
  if (status !== TOO_MANY || !(seconds > 0)) return text;
  return [text, interpolate(gettext("Try again in %(time)s."), { time: duration(seconds * 1000) })].join(" ");
}

/** A second more or less is the way of the answer. */
function whole(ms) {
  return duration(Math.max(1, Math.round(ms / 1000)) * 1000);
}
