/**
 * Which recordings of a conversation the next message asks about. Pure.
 *
 * What was just attached is asked about, and stays so for the questions that follow, until somebody switches it off.
 *
 * @typedef {object} Asked
 * @property {string | null} conversation
 * @property {string[]} ids
 * @property {boolean} isFresh  nothing was sent since they were attached: what comes now is asked about with them
 */

import { gettext, interpolate, ngettext } from "../helpers/gettext.js";
import { lengthWords } from "./words.js";

/** @type {Asked} */
export const NOTHING = Object.freeze({ conversation: null, ids: [], isFresh: false });

/**
 * @param {Asked} asked
 * @param {string} id  of a recording that the user has just attached
 * @returns {Asked}
 */
export function withAttached(asked, id) {
  const others = asked.isFresh ? asked.ids.filter((other) => other !== id) : [];
  return { ...asked, ids: [...others, id], isFresh: true };
}

/**
 * @param {Asked} asked
 * @param {string} id
 * @returns {Asked}  with this one switched on or off
 */
export function withSwitched(asked, id) {
  const isOn = asked.ids.includes(id);
  return { ...asked, ids: isOn ? asked.ids.filter((other) => other !== id) : [...asked.ids, id], isFresh: false };
}

/** @returns {Asked}  after a message about them */
export const afterSending = (asked) => ({ ...asked, isFresh: false });

/**
 * @param {Asked} asked
 * @param {string | null} conversation  that is shown; another one begins with nothing but what was attached before it began
 * @returns {Asked}
 */
export function inConversation(asked, conversation) {
  if (conversation === null || conversation === asked.conversation) return asked;
  return asked.conversation === null ? { ...asked, conversation } : { ...NOTHING, conversation };
}

/**
 * @param {{duration_ms: number}[]} asked
 * @param {number} attached  how many the conversation has
 * @param {number} coming  how many files are on their way
 * @param {boolean} hasBegun  the conversation has
 * @returns {string}  what becomes of the next message, or of the recordings where there is no conversation yet
 */
export function askedWords(asked, attached, coming, hasBegun) {
  const onTheirWay = coming ? interpolate(wayWords(coming), { count: coming }) : "";
  const next = hasBegun || attached === 0 ? nextWords(asked, attached) : gettext("What you talk about. It is known from the first word on.");
  return [next, onTheirWay].filter(Boolean).join(" ");
}

function wayWords(coming) {
  return ngettext("%(count)s recording is still on its way.", "%(count)s recordings are still on their way.", coming);
}

function nextWords(asked, attached) {
  if (attached === 0) return "";
  if (asked.length === 0) return gettext("Your next message is not about a recording.");
  const lengthMs = asked.reduce((sum, recording) => sum + recording.duration_ms, 0);
  return interpolate(aboutWords(asked.length, attached), { count: asked.length, all: attached, length: lengthWords(lengthMs) });
}

function aboutWords(asked, attached) {
  if (attached === 1) return gettext("The next message asks about it: %(length)s.");
  if (asked === attached) return gettext("The next message asks about all %(all)s recordings: %(length)s.");
  return gettext("The next message asks about %(count)s of %(all)s recordings: %(length)s.");
}
