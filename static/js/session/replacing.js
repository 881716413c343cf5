/** Which question another can be asked in the place of, and what is withdrawn by it. Pure. */

import { ROLE, TURN_STATE, TURN_STATUS } from "./protocol.js";
import { untakenMessages } from "./session_state.js";

const OVER = ["ended", "taken", "stopped"];

/**
 * The last question and what answered it, if that exchange is over: what answers it may come at any moment before.
 *
 * @param {import("./session_state.js").SessionState} state
 * @returns {{question: import("./messages.js").Turn, answer: import("./messages.js").Turn | null} | null}
 */
export function lastExchange(state) {
  const { turns, turnState, phase } = state;
  const isUnderWay = turnState === TURN_STATE.WAITING || turnState === TURN_STATE.GENERATING;
  if (isUnderWay || OVER.includes(phase) || untakenMessages(state).length > 0) return null;
  const question = turns.findLast(({ role }) => role === ROLE.USER);
  const after = question ? turns.filter(({ turn }) => turn > question.turn) : [];
  if (after.length === 0 || after.some(({ status }) => status === TURN_STATUS.PARTIAL)) return null;
  return { question, answer: after.findLast(({ role }) => role === ROLE.MODEL) ?? null };
}

/**
 * What was withdrawn, and what will be as soon as the server has what was typed in its place.
 *
 * @param {import("./session_state.js").SessionState} state
 * @returns {(turn: import("./messages.js").Turn) => boolean}
 */
export function withdrawnIn(state) {
  const replaced = untakenMessages(state).map(({ replaces }) => replaces).filter((number) => number !== null);
  const first = Math.min(...replaced);
  return ({ turn, withdrawn, role }) => withdrawn === true || (turn >= first && role !== ROLE.SYSTEM);
}
