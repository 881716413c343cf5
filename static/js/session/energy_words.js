/**
 * What the page says about the level of service, in words. Pure.
 *
 * @typedef {object} EnergyFacts
 * @property {string} level  such as "1 of 3"
 * @property {string} model
 * @property {string} comeback  such as "at 09:00"; empty at the top
 * @property {string} explanation  a sentence
 * @property {string} label  all of it, for those who do not see the battery
 */

import { moment } from "../helpers/time.js";

/** The word of a level whose model needs no live line. */
export const IN_TURNS = "in turns";

/**
 * @param {import("./messages.js").Energy} energy
 * @param {number} nowMs  since the epoch
 * @returns {EnergyFacts}
 */
export function energyFacts(energy, nowMs) {
  const level = `${energy.level} of ${energy.max}`;
  const model = energy.model || "no model";
  const isFull = energy.level >= energy.max;
  const at = returnAt(energy);
  const label = [energy.word, level, model];
  const comeback = at === null && energy.word === IN_TURNS ? "as soon as there is a line" : comebackWords(at, nowMs);
  if (!isFull && at !== null) label.push(`back ${comeback}`);
  return {
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
  if (atMs === null) return "at a time that is not known";
  return atMs > nowMs ? moment(atMs, nowMs) : "any moment";
}

/** @param {import("./messages.js").Energy} energy @returns {string}  a sentence */
export function explanationOf({ level, max, word, resets_at: resetsAt }) {
  if (word === IN_TURNS) return "There is no live line at present. Each turn is answered for itself.";
  if (level >= max) return "The best model answers.";
  if (level === 0) return "No model can answer at present.";
  return resetsAt ? "The quota of a better model is used up." : "A better model cannot be used at present.";
}
