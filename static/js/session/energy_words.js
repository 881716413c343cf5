/**
 * What the page says about the level of service, in words. Pure.
 *
 * @typedef {object} EnergyFacts
 * @property {string} word  such as "reduced"
 * @property {string} level  such as "1 of 3"
 * @property {string} model
 * @property {string} comeback  such as "at 09:00"; empty at the top
 * @property {string} explanation  a sentence
 * @property {string} label  all of it, for those who do not see the battery
 */

import { gettext, interpolate } from "../helpers/gettext.js";
import { moment } from "../helpers/time.js";

/** What the protocol calls a level whose model needs no live line. */
export const IN_TURNS = "in turns";

/** What a level is called, by its word in the protocol. */
const LEVEL_WORDS = {
  // Translators: this and the four that follow say how strong the service is: each stands by a battery, or in a list.
  full: gettext("full"),
  reduced: gettext("reduced"),
  low: gettext("low"),
  [IN_TURNS]: gettext("in turns"),
  exhausted: gettext("exhausted"),
};

/** @param {string} word  of the protocol @returns {string} */
export const levelWord = (word) => LEVEL_WORDS[word] ?? word;

/**
 * @param {import("./messages.js").Energy} energy
 * @param {number} nowMs  since the epoch
 * @returns {EnergyFacts}
 */
export function energyFacts(energy, nowMs) {
  const word = levelWord(energy.word);
  // Translators: a level on a ladder.
  const level = interpolate(gettext("%(level)s of %(max)s"), energy);
  const model = energy.model || gettext("no model");
  const isFull = energy.level >= energy.max;
  const at = returnAt(energy);
  const label = [word, level, model];
  const comeback = at === null && energy.word === IN_TURNS ? gettext("as soon as there is a line") : comebackWords(at, nowMs);
  // Translators: the service; such as "back at 09:00".
  if (!isFull && at !== null) label.push(interpolate(gettext("back %(when)s"), { when: comeback }));
  return {
    word,
    level,
    model,
    comeback: isFull ? "" : comeback,
    explanation: explanationOf(energy),
    label: label.join(", "),
  };
}

/**
 * @param {import("./messages.js").Energy} energy
 * @returns {number | null}  when a better model is expected back, in ms since the epoch
 */
export function returnAt({ resets_at: resetsAt }) {
  const at = Date.parse(resetsAt ?? "");
  return Number.isNaN(at) ? null : at;
}

/**
 * @param {number | null} atMs  since the epoch, as `nowMs`
 * @param {number} nowMs
 * @returns {string}  such as "at 09:00"
 */
export function comebackWords(atMs, nowMs) {
  if (atMs === null) return gettext("at a time that is not known");
  return atMs > nowMs ? moment(atMs, nowMs) : gettext("any moment");
}

/** @param {import("./messages.js").Energy} energy @returns {string}  a sentence */
export function explanationOf({ level, max, word, resets_at: resetsAt }) {
  if (word === IN_TURNS) return gettext("There is no live line at present. Each turn is answered for itself.");
  if (level >= max) return gettext("The best model answers.");
  if (level === 0) return gettext("No model can answer at present.");
  return resetsAt ? gettext("The quota of a better model is used up.") : gettext("A better model cannot be used at present.");
}
