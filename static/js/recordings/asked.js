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
  const onTheirWay = coming ? `${coming} recording${coming === 1 ? " is" : "s are"} still on ${coming === 1 ? "its" : "their"} way.` : "";
  const next = hasBegun || attached === 0 ? nextWords(asked, attached) : "What you talk about. It is known from the first word on.";
  return [next, onTheirWay].filter(Boolean).join(" ");
}

function nextWords(asked, attached) {
  if (attached === 0) return "";
  if (asked.length === 0) return "The next message is no question about a recording.";
  const lengthMs = asked.reduce((sum, recording) => sum + recording.duration_ms, 0);
  const what = attached === 1 ? "it" : asked.length === attached ? `all ${attached} recordings` : `${asked.length} of ${attached} recordings`;
  return `The next message asks about ${what}: ${lengthWords(lengthMs)}.`;
}
