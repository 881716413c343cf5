/**
 * Which words of a reply have been heard: pure, it is told what comes and how far it was played.
 *
 * Transcripts have no fixed order to sound, and run ahead of it or behind, so when a word came says nothing. What is known is the
 * text, and where the sound has pauses: letters are spread over what is no pause, and where a mark of the text has a pause near
 * it, the spreading begins there anew.
 */

const RATE_HZ = 24000;
const WINDOW_MS = 20;
const WINDOW = (RATE_HZ * WINDOW_MS) / 1000;
/** Below it a window is a pause; a whisper has more. */
const LOUD = 300;
/** The stop of a consonant is shorter. */
const SHORTEST_PAUSE_MS = 120;
/** What a letter takes, without pauses, as long as the end is not known: no less than most voices take. */
const LETTER_MS = 70;
/** A mark belongs to a pause that is no further from where it is expected than this, and this part of the way there. */
const NEAR_MS = 150;
const NEAR_PART = 0.3;
/** Of a reply that is longer than ten minutes nothing is marked. */
const LONGEST_WINDOWS = 30000;
/** Replies of which something may still be played. */
const MOST_REPLIES = 4;
const LETTER = /[\p{L}\p{N}]/u;
const MARK = /[.,;:!?\u2026\u2014\u3001\u3002\n]/;

/** @param {string} text @returns {number}  how much of it is spoken */
export function lettersIn(text) {
  let count = 0;
  for (const character of text) if (LETTER.test(character)) count += 1;
  return count;
}

/**
 * @param {string} text
 * @param {number} letters  of it
 * @returns {number}  where the word ends that has the last of them, in UTF-16 units
 */
export function endAfter(text, letters) {
  let [end, left] = [0, letters];
  for (const character of text) {
    const isLetter = LETTER.test(character);
    if (left <= 0 && (letters <= 0 || /\s/.test(character))) return end;
    if (isLetter) left -= 1;
    end += character.length;
  }
  return end;
}

/** After how many letters the text has a mark at which a voice may pause. */
function marksIn(text) {
  const marks = [];
  let letters = 0;
  for (const character of text) {
    if (LETTER.test(character)) letters += 1;
    else if (MARK.test(character) && letters > 0 && marks.at(-1) !== letters) marks.push(letters);
  }
  return marks;
}

class Reply {
  constructor() {
    /** @type {number | null} */
    this.turn = null;
    this.isWhole = false;
    /** Where each frame begins, by number, in ms. @type {Map<number, number>} */
    this._starts = new Map();
    /** How much was no pause up to the end of each window, in ms. @type {number[]} */
    this._voiced = [];
    /** Where pauses are, in ms without pauses. @type {number[]} */
    this._pauses = [];
    this._quietMs = 0;
    this._letters = 0;
    this._marks = [];
    this._playedMs = 0;
  }

  get hasSound() {
    return this._starts.size > 0;
  }

  has(number) {
    return this._starts.has(number);
  }

  addSound(pcm, number) {
    this._starts.set(number, this._voiced.length * WINDOW_MS);
    if (this._voiced.length > LONGEST_WINDOWS) return;
    for (let start = 0; start < pcm.length; start += WINDOW) {
      let peak = 0;
      for (let i = start; i < Math.min(pcm.length, start + WINDOW); i += 4) peak = Math.max(peak, Math.abs(pcm[i]));
      this._addWindow(peak > LOUD);
    }
  }

  addText(text) {
    this._letters = lettersIn(text);
    this._marks = marksIn(text);
  }

  play(number, ms) {
    this._playedMs = Math.max(this._playedMs, this._starts.get(number) + ms);
  }

  /** @returns {number}  letters that have begun to be heard */
  heard() {
    if (this._voiced.length > LONGEST_WINDOWS) return Infinity;
    const voicedMs = this._voicedMs(this._playedMs);
    if (this.isWhole && this._playedMs >= this._voiced.length * WINDOW_MS - SHORTEST_PAUSE_MS) return Infinity;
    const [[letters, ms], next] = this._around(voicedMs);
    const each = next ? (next[1] - ms) / (next[0] - letters) : this._eachFrom(letters, ms);
    return Math.min(this._letters, letters + Math.floor((voicedMs - ms) / Math.max(1, each)));
  }

  _addWindow(isLoud) {
    const before = this._voiced.at(-1) ?? 0;
    if (isLoud && this._quietMs >= SHORTEST_PAUSE_MS && before > 0) this._pauses.push(before);
    this._quietMs = isLoud ? 0 : this._quietMs + WINDOW_MS;
    this._voiced.push(before + (isLoud ? WINDOW_MS : 0));
  }

  _voicedMs(ms = this._voiced.length * WINDOW_MS) {
    const windows = Math.min(this._voiced.length, Math.floor(ms / WINDOW_MS));
    return windows > 0 ? this._voiced[windows - 1] : 0;
  }

  /** What a letter takes from here on. */
  _eachFrom(letters, ms) {
    if (this.isWhole) return (this._voicedMs() - ms) / Math.max(1, this._letters - letters);
    return letters > 0 ? Math.max(LETTER_MS, ms / letters) : LETTER_MS;
  }

  /** The marks that were found in the sound around this place: the last before it, and the next, if any. */
  _around(voicedMs) {
    let found = [0, 0];
    for (const letters of this._marks) {
      const pause = this._pauseNear(letters, found);
      if (pause === undefined) continue;
      if (pause > voicedMs) return [found, [letters, pause]];
      found = [letters, pause];
    }
    return [found, undefined];
  }

  _pauseNear(letters, [before, beforeMs]) {
    const wayMs = (letters - before) * this._eachFrom(before, beforeMs);
    const expected = beforeMs + wayMs;
    const nearMs = NEAR_MS + NEAR_PART * wayMs;
    const distance = (pause) => Math.abs(pause - expected);
    const later = this._pauses.filter((pause) => pause > beforeMs && distance(pause) <= nearMs);
    return later.sort((one, other) => distance(one) - distance(other))[0];
  }
}

export class Captions {
  /** @param {{isAloud: boolean}} options  replies are heard here; else nobody waits for the sound of one */
  constructor({ isAloud }) {
    this._isAloud = isAloud;
    /** @type {Reply[]} */
    this._replies = [];
    this._isOver = true;
  }

  /**
   * @param {Int16Array} pcm  24 kHz
   * @param {number} number  of the frame
   */
  sound(pcm, number) {
    this._present().addSound(pcm, number);
  }

  /** @param {import("./messages.js").Turn} turn  of the model, with its text so far */
  text({ turn, text }) {
    const known = this._replies.find((reply) => reply.turn === turn);
    if (!known && this._replies.at(-1)?.turn != null) this._isOver = true;
    const reply = known ?? this._present();
    reply.turn = turn;
    reply.addText(text);
  }

  /** All sound of the present reply has come. */
  whole() {
    if (this._replies.length > 0) this._replies.at(-1).isWhole = true;
  }

  /** The present reply is over, as it was meant to be or interrupted: what comes now is the next one's. */
  over() {
    this._isOver = true;
  }

  /** @param {{number: number, ms: number} | null} heard  the frame that was played last, and how much of it has been heard */
  played(heard) {
    const reply = heard && this._replies.find((other) => other.has(heard.number));
    if (reply) reply.play(heard.number, heard.ms);
  }

  /**
   * @param {number} turn
   * @returns {number | null}  letters of it that were heard, `Infinity` for all; null where nobody knows: it has no sound
   */
  heardOf(turn) {
    const reply = this._replies.find((other) => other.turn === turn);
    if (reply?.hasSound) return reply.heard();
    const isPresent = reply !== undefined && reply === this._replies.at(-1) && !this._isOver;
    return this._isAloud && isPresent && !reply.isWhole ? 0 : null;
  }

  _present() {
    if (this._isOver) {
      this._replies.push(new Reply());
      if (this._replies.length > MOST_REPLIES) this._replies.shift();
    }
    this._isOver = false;
    return this._replies.at(-1);
  }
}
