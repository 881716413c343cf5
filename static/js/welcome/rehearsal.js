/**
 * The rehearsed talk of the start page, by the clock: who has said how much, and what the line is like. Nothing of it is
 * a real call; it shows what one does when its line is torn. Pure.
 */

export const OUTAGE_MS = 2600;
export const TORN_BY_ITSELF_MS = 7400;
/** When the line is torn if nobody pulls the plug before. */

const BACK_SHOWN_MS = 4500;
const FIRST_ANSWER_MS = 3200;
const PAUSE_MS = 600;
const WORD_MS = { user: 190, model: 270 };

/**
 * @param {number} nowMs  since the talk began
 * @param {number[]} pulledMs  when the plug was pulled, ascending
 * @param {number[]} words  how many each of the four lines has: question, answer, question, answer
 * @returns {{
 *   line: "up" | "torn" | "back",
 *   said: number[],
 *   isKept: boolean,
 *   speaker: "user" | "model" | "",
 *   isOver: boolean,
 * }}  `said`: words of each line; `isKept`: those of the second question wait for the line
 */
export function rehearsalAt(nowMs, pulledMs, words) {
  const outages = pulledMs.map((from) => [from, from + OUTAGE_MS]);
  /** The time in which there was a line, until a moment: the model speaks by it. */
  const upMs = (untilMs) => untilMs - outages.reduce((sum, [from, to]) => sum + clamp(untilMs - from, 0, to - from), 0);

  const lastOutage = outages.at(-1);
  const isTorn = lastOutage !== undefined && nowMs >= lastOutage[0] && nowMs < lastOutage[1];
  const isBack = lastOutage !== undefined && nowMs >= lastOutage[1] && nowMs < lastOutage[1] + BACK_SHOWN_MS;

  const secondQuestionMs = outages.length ? Math.max(outages[0][0], words[0] * WORD_MS.user) + PAUSE_MS : Infinity;
  const secondAsked = secondQuestionMs + words[2] * WORD_MS.user;
  const firstAnswered = FIRST_ANSWER_MS + words[1] * WORD_MS.model;
  const secondAnswerMs = Math.max(firstAnswered, upMs(secondAsked)) + PAUSE_MS;

  const up = upMs(nowMs);
  const said = [
    wordsBy(nowMs, WORD_MS.user, words[0]),
    wordsBy(up - FIRST_ANSWER_MS, WORD_MS.model, words[1]),
    wordsBy(nowMs - secondQuestionMs, WORD_MS.user, words[2]),
    wordsBy(up - secondAnswerMs, WORD_MS.model, words[3]),
  ];
  const speaks = (line) => said[line] > 0 && said[line] < words[line];
  return {
    line: isTorn ? "torn" : isBack ? "back" : "up",
    said,
    isKept: isTorn && said[2] > 0,
    speaker: speaks(0) || speaks(2) ? "user" : !isTorn && (speaks(1) || speaks(3)) ? "model" : "",
    isOver: said[3] === words[3] && !isTorn,
  };
}

function wordsBy(sinceMs, wordMs, all) {
  return sinceMs > 0 ? Math.min(all, Math.ceil(sinceMs / wordMs)) : 0;
}

function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
