/**
 * What the page says of something that is not as it should be, in one place: what happened, what is kept, until when, and the one
 * thing that can be done. Pure.
 *
 * @typedef {object} Incident
 * @property {string} what
 * @property {string} detail  until when, or why; counts seconds
 * @property {string} kept
 * @property {"quiet" | "live" | "busy" | "hold" | "down"} tone
 * @property {import("./status_words.js").StatusAction | "dismiss" | null} action
 * @property {number} afterMs  what is over sooner is not worth a word
 */

import { gettext, interpolate } from "../helpers/gettext.js";
import { comebackWords, explanationOf, IN_TURNS, returnAt } from "./energy_words.js";
import { MODE, STATE, TOAST } from "./protocol.js";
import { waitingFor } from "./session_state.js";

/** An interruption that is over sooner has no toast either. */
const PASSING_MS = 1000;

const KEPT = {
  [MODE.CALL]: gettext("What you say is kept, up to a minute of it."),
  [MODE.TEXT]: gettext("What you write is kept, and sent then."),
};
const GOES_ON_THERE = gettext("It goes on there, with all that was said.");
const WRITTEN_IS_KEPT = gettext("What you write is kept.");

/** Toasts of what lasts: it is said here for as long as it does. */
const TOLD_HERE = [
  ...[TOAST.CALL_RECONNECTING, TOAST.TEXT_RECONNECTING, TOAST.CALL_FAILED, TOAST.TEXT_FAILED, TOAST.SERVER_DRAINING],
  ...[TOAST.ENERGY_LOWER, TOAST.ENERGY_IN_TURNS, TOAST.ENERGY_EXHAUSTED, TOAST.TAKEOVER, TOAST.MOVED],
];

/** @param {string} code  of a toast @returns {boolean} */
export const isToldByIncident = (code) => TOLD_HERE.includes(code);

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {import("./status_words.js").Status} status
 * @param {{mode: "text" | "call", heldBack: boolean, dismissedLevel: number | null}} page  `dismissedLevel`: the lowered level that the user
 *   has read about
 * @param {number} wallMs  since the epoch
 * @returns {Incident | null}  null while all is well
 */
export function incidentOf(state, status, page, wallMs) {
  if (state.phase === STATE.LIVE) return ofALiveLine(state, status, page, wallMs);
  if (state.phase === STATE.HANDOVER) return null;
  if (waitingFor(state) === "place") return incident(status, "");
  if (state.phase === STATE.RECONNECTING) {
    return { ...incident(status, KEPT[page.mode]), what: lostText(state, status), afterMs: PASSING_MS };
  }
  if (state.phase === STATE.FALLING_BACK) return { ...incident(status, KEPT[page.mode]), afterMs: PASSING_MS };
  if (state.phase === STATE.EXHAUSTED || state.phase === STATE.FAILED) return incident(status, WRITTEN_IS_KEPT);
  if (state.phase === "taken" && !status.detail) return incident(status, GOES_ON_THERE);
  return status.detail || status.action ? incident(status, "") : null;
}

function incident({ word, detail, tone, action }, kept) {
  return { what: word, detail, kept, tone, action, afterMs: 0 };
}

function lostText(state, { word }) {
  if (state.offline) return gettext("You are offline");
  return waitingFor(state) ? word : gettext("The line is being restored");
}

function ofALiveLine({ energy }, status, { heldBack, dismissedLevel }, wallMs) {
  if (heldBack) return { ...incident(status, gettext("Nothing of it is left out.")), action: null };
  const isLowered = energy !== null && energy.level > 0 && (energy.level < energy.max || energy.word === IN_TURNS);
  if (!isLowered || energy.level === dismissedLevel) return null;
  const at = returnAt(energy);
  const detail = at === null ? "" : interpolate(gettext("A better one is back %(when)s."), { when: comebackWords(at, wallMs) });
  const kept = interpolate(gettext("%(model)s answers."), { model: energy.model });
  return { what: explanationOf(energy), detail, kept, tone: "hold", action: "dismiss", afterMs: 0 };
}
