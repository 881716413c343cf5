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
/** The same where words that are drawn out are counted as longer. */
const DRAWN_MS = 62;
/** What it costs, in ms that a piece is longer or shorter than its letters, to have no pause for a mark, and no mark for a pause. */
const NO_PAUSE_AFTER_SENTENCE = 700;
const NO_PAUSE_AFTER_CLAUSE = 120;
const LONGEST_COUNTED_PAUSE_MS = 500;
/** The last word before a pause is drawn out, by about so many letters. */
const DRAWN_OUT_LETTERS = 2.5;
/** So many marks and pauses in a row may be without each other. */
const MOST_SKIPPED = 3;
/** Of a reply that is longer than ten minutes nothing is marked. */
const LONGEST_WINDOWS = 30000;
/** Replies of which something may still be played. */
const MOST_REPLIES = 4;
/** In UTF-16 units. Where there is no blank within so many, the script has none between words. */
const LONGEST_WORD = 24;
const LETTER = /[\p{L}\p{N}]/u;
const SENTENCE_END = /[.!?\u2026\u3002\n]/;
const CLAUSE_END = /[,;:\u2014\u3001]/;

/** @param {string} text @returns {number}  how much of it is spoken */
export function lettersIn(text) {
  let count = 0;
  for (const character of text) if (LETTER.test(character)) count += 1;
  return count;
}

/**
 * @param {string} text
 * @param {number} letters  of it
 * @returns {number}  where the word ends that has the last of them, in UTF-16 units; where that letter does in scripts without
 *   blanks between words
 */
export function endAfter(text, letters) {
  if (letters <= 0) return 0;
  let [end, left] = [0, letters];
  for (const character of text) {
    if (left <= 0) break;
    if (LETTER.test(character)) left -= 1;
    end += character.length;
  }
  const more = text.slice(end, end + LONGEST_WORD).search(/\s|$/);
  return end + more < text.length && more === LONGEST_WORD ? end : end + more;
}

/** After how many letters the text has a mark at which a voice may pause, and what it costs if it does not. */
function marksIn(text) {
  const marks = [];
  let letters = 0;
  for (const character of text) {
    if (LETTER.test(character)) letters += 1;
    const isMark = SENTENCE_END.test(character) || CLAUSE_END.test(character);
    if (isMark && letters > 0 && marks.at(-1)?.letters !== letters) {
      const cost = SENTENCE_END.test(character) ? NO_PAUSE_AFTER_SENTENCE : NO_PAUSE_AFTER_CLAUSE;
      marks.push({ letters, cost, drawn: letters + DRAWN_OUT_LETTERS * (marks.length + 1) });
    }
  }
  return marks;
}

/**
 * Which marks are which pauses: the way through both in which pieces are as long as their letters, with as few as may be left out.
 *
 * @param {{letters: number, cost: number, drawn: number}[]} marks  `drawn`: the letters with what words are drawn out by
 * @param {{ms: number, cost: number}[]} pauses
 * @param {number} eachMs  what a letter takes
 * @param {boolean} isWhole  all marks and pauses are there
 * @returns {{letters: number, ms: number}[]}
 */
function matched(marks, pauses, eachMs, isWhole) {
  const start = { letters: 0, drawn: 0, ms: 0, cost: 0, from: null };
  /** The cheapest way that ends with this mark as this pause. */
  const ways = marks.map(() => new Array(pauses.length).fill(null));
  const wayTo = (mark, pause) => (mark < 0 && pause < 0 ? start : (ways[mark]?.[pause] ?? null));
  // What is still to come has its pauses with it.
  const rest = (mark, pause) => (isWhole ? leftOut(marks, mark, marks.length) : 0) + leftOut(pauses, pause, pauses.length);
  let [best, bestCost] = [start, rest(-1, -1)];
  marks.forEach(({ letters, drawn }, mark) => {
    pauses.forEach(({ ms }, pause) => {
      for (let i = mark - 1; i >= Math.max(-1, mark - 1 - MOST_SKIPPED); i--) {
        for (let j = pause - 1; j >= Math.max(-1, pause - 1 - MOST_SKIPPED); j--) {
          const from = wayTo(i, j);
          if (!from) continue;
          const longer = Math.abs(ms - from.ms - (drawn - from.drawn) * eachMs);
          const cost = from.cost + longer + leftOut(marks, i, mark) + leftOut(pauses, j, pause);
          if (cost < (ways[mark][pause]?.cost ?? Infinity)) ways[mark][pause] = { letters, drawn, ms, cost, from };
        }
      }
      const way = ways[mark][pause];
      const cost = way ? way.cost + rest(mark, pause) : Infinity;
      if (cost < bestCost) [best, bestCost] = [way, cost];
    });
  });
  const pairs = [];
  for (let way = best; way.from; way = way.from) pairs.unshift(way);
  return pairs;
}

function leftOut(all, after, before) {
  let cost = 0;
  for (let i = after + 1; i < before; i++) cost += all[i].cost;
  return cost;
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
    /** Where pauses are, in ms without pauses. @type {{ms: number, cost: number}[]} */
    this._pauses = [];
    this._matched = [];
    this._matchedFor = "";
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
    const [{ letters, ms }, next] = this._around(voicedMs);
    if (next) return letters + Math.floor((voicedMs - ms) / Math.max(1, (next.ms - ms) / (next.letters - letters)));
    return this._heardSince(letters, voicedMs - ms, this._eachFrom(letters, ms));
  }

  /** Letters that are heard where no more pauses are known: at each mark the word before it may be drawn out. */
  _heardSince(letters, sinceMs, each) {
    let [heard, leftMs] = [letters, sinceMs];
    for (const mark of this._marks.filter((other) => other.letters > letters)) {
      const wayMs = (mark.letters - heard) * each;
      if (leftMs < wayMs) break;
      heard = mark.letters;
      leftMs -= Math.min(leftMs, wayMs + DRAWN_OUT_LETTERS * each);
    }
    return Math.min(this._letters, heard + Math.floor(leftMs / Math.max(1, each)));
  }

  _addWindow(isLoud) {
    const before = this._voiced.at(-1) ?? 0;
    if (isLoud && this._quietMs >= SHORTEST_PAUSE_MS && before > 0) {
      this._pauses.push({ ms: before, cost: Math.min(this._quietMs, LONGEST_COUNTED_PAUSE_MS) });
    }
    this._quietMs = isLoud ? 0 : this._quietMs + WINDOW_MS;
    this._voiced.push(before + (isLoud ? WINDOW_MS : 0));
  }

  _voicedMs(ms = this._voiced.length * WINDOW_MS) {
    const windows = Math.min(this._voiced.length, Math.floor(ms / WINDOW_MS));
    return windows > 0 ? this._voiced[windows - 1] : 0;
  }

  /** What a letter takes from here on. */
  _eachFrom(letters, ms) {
    const marks = this._marks.filter((mark) => mark.letters > letters && mark.letters < this._letters).length;
    if (this.isWhole) return (this._voicedMs() - ms) / Math.max(1, this._letters - letters + DRAWN_OUT_LETTERS * marks);
    return letters > 0 ? Math.max(LETTER_MS, ms / letters) : LETTER_MS;
  }

  /** What a letter takes where words that are drawn out are counted as longer. */
  _eachDrawn() {
    const letters = this._letters + DRAWN_OUT_LETTERS * this._marks.length;
    return this.isWhole ? this._voicedMs() / Math.max(1, letters) : DRAWN_MS;
  }

  /** The marks that were found in the sound around this place: the last before it, and the next, if any. */
  _around(voicedMs) {
    const known = `${this._letters} ${this._pauses.length} ${this.isWhole}`;
    if (known !== this._matchedFor) this._matched = matched(this._marks, this._pauses, this._eachDrawn(), this.isWhole);
    this._matchedFor = known;
    const next = this._matched.findIndex(({ ms }) => ms > voicedMs);
    const place = next === -1 ? this._matched.length : next;
    return [this._matched[place - 1] ?? { letters: 0, ms: 0 }, this._matched[place]];
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
