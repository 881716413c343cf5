/**
 * The words of the browser protocol: what the page sends and how it reads what comes. Pure.
 *
 * @typedef {object} Turn  a line of the transcript
 * @property {number} turn
 * @property {"user" | "model" | "system"} role
 * @property {string} text  the whole text so far
 * @property {"partial" | "complete" | "interrupted"} status
 * @property {string} [at]  ISO 8601
 * @property {string} [id]  of the typed message it stands for
 * @property {number} [heard]  characters of an interrupted reply that were played, where those are fewer than all
 * @property {string[]} [recordings]  ids of those that a question or its reply is about
 * @property {number} [replaces]  the number of the question in whose place it was asked
 * @property {boolean} [withdrawn]  another question was asked in its place, or in that of its question
 * @property {Named} [until]
 *
 * @typedef {object} Named  a moment that a text names
 * @property {number} at  since the epoch, in milliseconds
 * @property {string} words  as they stand in the text, by the clock of the server
 *
 * @typedef {object} AttachedRecording  as the conversation knows it
 * @property {string} id
 * @property {string} name
 * @property {number} duration_ms
 * @property {number} tokens
 * @property {number} size_bytes
 * @property {string} note  a sentence about what is missing of it, or empty
 * @property {{state: string, done_ms: number, error: string, title: string, summary: string, language: string}} work
 * @property {{state: string, sent_bytes: number, expires_at: string | null, reason: string}} provider
 *
 * @typedef {object} Energy
 * @property {"text" | "call"} mode
 * @property {number} level  0: there is no model left
 * @property {number} max
 * @property {string} word
 * @property {string} model  empty at level 0
 * @property {string | null} [resets_at]  ISO 8601; when a better model is expected back, null when nobody knows
 */

import { PAGE_MESSAGE } from "./protocol.js";

/**
 * @param {object} start
 * @param {string} start.pageId
 * @param {number} start.lastDown  -1 before any audio came
 * @param {boolean} start.fresh
 * @param {string | null} start.continues  the id of a conversation to go on with
 * @param {string | null} [start.reopens]  the id of a text chat to go on in
 * @param {string | null} [start.takes]  the ticket of a link that takes the conversation of another page over
 * @param {string | null} [start.goesOnFrom]  the id of an earlier call that a new one begins with
 * @param {number} [start.awayMs]  how long nothing was heard of the server before this
 * @param {string[]} [start.recordings]  ids of those to be attached before anything is said
 */
export function start({
  pageId,
  lastDown,
  fresh,
  continues,
  reopens = null,
  takes = null,
  goesOnFrom = null,
  awayMs = 0,
  recordings = [],
}) {
  const message = {
    type: PAGE_MESSAGE.START,
    page_id: pageId,
    last_down: lastDown,
    ...away(awayMs),
    ...about(recordings),
  };
  const earlier = goesOnFrom ? { goes_on_from: goesOnFrom } : {};
  if (fresh) return { ...message, fresh: true, ...earlier };
  if (takes) return { ...message, take: takes };
  if (reopens) return { ...message, open: reopens };
  return continues ? { ...message, continue: continues } : { ...message, ...earlier };
}

/**
 * @param {string[]} [recordings]  ids of those that it asks about
 * @param {number | null} [replaces]  the number of the question in whose place it is asked
 */
export const text = (id, content, recordings = [], replaces = null) => ({
  type: PAGE_MESSAGE.TEXT,
  id,
  text: content,
  ...about(recordings),
  ...(replaces === null ? {} : { replaces }),
});
/** @param {string} recording  the id of one to be made part of the conversation */
export const attach = (recording) => ({ type: PAGE_MESSAGE.ATTACH, recording });
export const mic = (on) => ({ type: PAGE_MESSAGE.MIC, on });
/** @param {boolean} on  replies are played; else they are only read */
export const sound = (on) => ({ type: PAGE_MESSAGE.SOUND, on });
/**
 * @param {number} down  the number of an audio frame
 * @param {number} ms  how much of it was played
 */
export const heard = (down, ms) => ({ type: PAGE_MESSAGE.HEARD, down, ms });
/** @param {number} down  the number of the audio frame that was played last, -1 for none */
export const released = (down) => ({ type: PAGE_MESSAGE.RELEASED, down });
export const stop = () => ({ type: PAGE_MESSAGE.STOP });
export const reset = () => ({ type: PAGE_MESSAGE.RESET });
export const retry = () => ({ type: PAGE_MESSAGE.RETRY });
export const hangup = () => ({ type: PAGE_MESSAGE.HANGUP });
/** @param {number} before  the number of the turn before which earlier ones are wanted */
export const older = (before) => ({ type: PAGE_MESSAGE.OLDER, before });
/** @param {number} [awayMs]  how long nothing was heard of the server before this */
export const ping = (t, awayMs = 0) => ({ type: PAGE_MESSAGE.PING, t, ...away(awayMs) });

const about = (recordings) => (recordings.length > 0 ? { recordings } : {});
const away = (awayMs) => (awayMs > 0 ? { away_ms: awayMs } : {});

/**
 * @param {string} data  a text frame
 * @returns {{type: string, [field: string]: any} | null}  null for anything that is not a message
 */
export function parse(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
