/**
 * What the user said and typed, kept until the server has acknowledged it. Pure: it knows no socket and no clock.
 *
 * Sent is not safe: an `ack` is what lets go. After a reconnection sending starts again where the server says it stands.
 */

import { FRAME_MS } from "../audio/pcm.js";
import { LIMIT } from "./protocol.js";

/** Numbered audio frames: as many of the last as the server takes at once from a page that comes back. */
export class AudioOutbox {
  /** @param {number} [longestMs]  the oldest frames go first when there is more */
  constructor(longestMs = LIMIT.RESENT_AUDIO_MS) {
    this._limit = Math.floor(longestMs / FRAME_MS);
    /** @type {Int16Array[]} */
    this._frames = [];
    this._first = 0;
    this._cursor = 0;
    this._lostBelow = 0;
    /** Length of the audio that will never reach the server, in ms. */
    this.lostMs = 0;
  }

  /** Number that the next frame gets. */
  get nextNumber() {
    return this._first + this._frames.length;
  }

  /** Frames that wait to be sent. */
  get unsent() {
    return this.nextNumber - this._cursor;
  }

  /** Frames that are kept, sent or not. */
  get kept() {
    return this._frames.length;
  }

  /** @param {Int16Array} pcm  one frame, which is not to be changed afterwards */
  push(pcm) {
    this._frames.push(pcm);
    if (this._frames.length > this._limit) this._dropOldest();
  }

  /** @returns {{number: number, pcm: Int16Array} | null}  the next frame to send, which counts as sent */
  take() {
    if (this.unsent === 0) return null;
    const number = this._cursor++;
    return { number, pcm: this._frames[number - this._first] };
  }

  /** @param {number} next  the server needs nothing below this number ever again */
  ack(next) {
    const covered = Math.min(next - this._first, this._frames.length);
    if (covered <= 0) return;
    this._frames.splice(0, covered);
    this._first += covered;
    this._cursor = Math.max(this._cursor, this._first);
  }

  /**
   * Starts sending again on a new connection.
   *
   * @param {number} next  the number the server expects
   */
  rewind(next) {
    if (next > this.nextNumber) this._skipTo(next);
    this._countLost(next, this._first);
    this._cursor = Math.max(next, this._first);
  }

  /**
   * Gives the frames that wait numbers from `next` on: those before it are another page's, whose conversation goes on here.
   *
   * @param {number} next
   */
  startAt(next) {
    this._first = next;
    this._cursor = next;
    this._lostBelow = next;
  }

  /** Lets go of everything, for a conversation that is over. Numbers go on from where they are. */
  forget() {
    this._skipTo(this.nextNumber);
    this.lostMs = 0;
  }

  _skipTo(number) {
    this._frames.length = 0;
    this._first = number;
    this._cursor = number;
    this._lostBelow = number;
  }

  _dropOldest() {
    const number = this._first;
    this._frames.shift();
    this._first += 1;
    if (number < this._cursor) return;
    this._cursor = this._first;
    this._countLost(number, this._first);
  }

  _countLost(from, to) {
    const uncounted = to - Math.max(from, this._lostBelow);
    if (uncounted <= 0) return;
    this.lostMs += uncounted * FRAME_MS;
    this._lostBelow = to;
  }
}

/** Typed messages, in the order they were typed. */
export class TextOutbox {
  constructor() {
    /** @type {{id: string, text: string, recordings: string[], replaces: number | null, sent: boolean}[]} */
    this._messages = [];
  }

  /** Messages that wait to be sent. */
  get unsent() {
    return this._messages.filter((message) => !message.sent).length;
  }

  /**
   * @param {string} id  unique in the page
   * @param {string} text
   * @param {string[]} [recordings]  that it asks about
   * @param {number | null} [replaces]  the number of the question in whose place it is asked
   */
  push(id, text, recordings = [], replaces = null) {
    this._messages.push({ id, text, recordings, replaces, sent: false });
  }

  /**
   * @returns {{id: string, text: string, recordings: string[], replaces: number | null} | null}  the next to send, which
   *   counts as sent
   */
  take() {
    const message = this._messages.find((candidate) => !candidate.sent);
    if (!message) return null;
    message.sent = true;
    const { id, text, recordings, replaces } = message;
    return { id, text, recordings, replaces };
  }

  /** @param {string[]} ids  acknowledged, or given up: not to be sent again */
  settle(ids) {
    this._messages = this._messages.filter((message) => !ids.includes(message.id));
  }

  /** Starts sending again on a new connection; the server ignores what it already has. */
  rewind() {
    for (const message of this._messages) message.sent = false;
  }

  /** @returns {string[]}  ids of everything kept, which is let go of */
  forget() {
    const ids = this._messages.map((message) => message.id);
    this._messages = [];
    return ids;
  }
}

/** Recordings that are to be part of the conversation, until it has them. */
export class Attaching {
  constructor() {
    /** @type {Map<string, boolean>}  ids, and whether each was sent */
    this._ids = new Map();
    /** @type {string[]} */
    this._named = [];
  }

  /** @returns {string[]}  for the first message of a connection, which names as many as it may */
  name() {
    this._named = [...this._ids.keys()].slice(0, LIMIT.RECORDINGS);
    return this._named;
  }

  /** @param {string} id */
  push(id) {
    if (!this._ids.has(id)) this._ids.set(id, false);
  }

  /** @returns {string | null}  the next to send, which counts as sent */
  take() {
    const id = [...this._ids].find(([, sent]) => !sent)?.[0] ?? null;
    if (id !== null) this._ids.set(id, true);
    return id;
  }

  /** @param {string[]} ids  attached, or refused */
  settle(ids) {
    for (const id of ids) this._ids.delete(id);
  }

  /** A new connection has begun: what its first message has not named is sent. */
  rewind() {
    for (const id of this._ids.keys()) this._ids.set(id, this._named.includes(id));
  }
}
