/**
 * What the page says about the line, in words. Pure.
 *
 * @typedef {object} Status
 * @property {string} word
 * @property {string} detail
 * @property {"quiet" | "live" | "busy" | "hold" | "down"} tone
 * @property {StatusAction | null} action
 * @property {string} spoken  for screen readers, once; it counts no seconds
 * @property {string} mark  what else is to be known while all is well, for those who look; empty for nothing
 *
 * @typedef {"retry" | "try-again" | "leave" | "take-back" | "open-here" | "reload"} StatusAction
 *
 * @typedef {object} Now
 * @property {number} pageMs  on the clock given to `reduce`
 * @property {number} wallMs  since the epoch
 */

import { clock } from "../helpers/time.js";
import { comebackWords, returnAt } from "./energy_words.js";
import { MODE, STATE, STATE_REASON, TURN_STATE } from "./protocol.js";
import { waitingFor } from "./session_state.js";

const OPERATOR = "Whoever runs this server has to look into it.";

/** The codes that mean something to the user, as sentences; who waits in line is told the place. */
const REASONS = {
  [STATE_REASON.ACCESS_DENIED]: `Gemini does not let this server in. ${OPERATOR}`,
  [STATE_REASON.BAD_KEY]: `Gemini does not accept this server's key. ${OPERATOR}`,
  [STATE_REASON.BAD_REQUEST]: `Gemini does not understand this server. ${OPERATOR}`,
  [STATE_REASON.BILLING]: `The credit for Gemini is used up. ${OPERATOR}`,
  [STATE_REASON.BUSY]: "Gemini has no room for one more conversation.",
  [STATE_REASON.FAIR_USE]: "You have reached a limit of this server.",
  [STATE_REASON.GONE]: "The account or the conversation has been deleted.",
  [STATE_REASON.NETWORK]: "Gemini cannot be reached.",
  [STATE_REASON.PROVIDER_FAULT]: "Gemini has a fault at present.",
  [STATE_REASON.PROVIDER_UNAVAILABLE]: "Gemini cannot be reached.",
  [STATE_REASON.QUOTA]: "The quota is used up for now.",
  [STATE_REASON.RATE_LIMIT]: "Gemini asks for a pause.",
  [STATE_REASON.TOKEN_REFUSED]: `Gemini does not accept how this server signs in. ${OPERATOR}`,
  [STATE_REASON.REGION]: `Gemini is not offered where this server stands. ${OPERATOR}`,
};

const ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"];
const HOUR_MS = 3_600_000;

/** @type {{[phase: string]: (state: object, now: Now, mode: "text" | "call") => Status}} */
const PHASES = {
  idle: () => status("Not connected", "", "quiet"),
  [STATE.CONNECTING]: connecting,
  [STATE.HANDOVER]: () => status("Changing lines", "Keep going, nothing is lost", "busy"),
  [STATE.RECONNECTING]: reconnecting,
  [STATE.FALLING_BACK]: () => status("Changing to another model", "One moment", "hold"),
  [STATE.EXHAUSTED]: exhausted,
  [STATE.FAILED]: (state) => status("No connection", reasonText(state.reason), "down", "retry"),
  [STATE.ENDED]: ended,
  taken: ({ isOverElsewhere }) =>
    isOverElsewhere
      ? status("Not open", "It is over in the other place", "quiet", "open-here")
      : status("Open in another place", "", "hold", "take-back"),
  stopped: (state) => status("Stopped", reasonText(state.reason), "down", "reload"),
};

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {{playing: boolean, muted: boolean, held: boolean, mode: "text" | "call", interrupts: boolean, hasKeys: boolean,
 *   heldBack: boolean}} page
 *   `held`: something else, such as a telephone call, has the sound; `interrupts`: who talks into an answer ends it; `hasKeys`:
 *   single keys do something; `heldBack`: the answer comes more slowly than it is spoken
 * @param {Now} now
 * @returns {Status}
 */
export function statusOf(state, page, now) {
  if (state.phase !== STATE.LIVE) return PHASES[state.phase](state, now, page.mode);
  return { ...liveStatus(state, page), mark: markOf(state, now) };
}

function liveStatus(state, page) {
  if (page.held) return status("On hold", "", "hold");
  const activity = activityOf(state, page.playing);
  if (activity === TURN_STATE.SPEAKING) return speaking(state, page);
  if (activity === TURN_STATE.WAITING) return status("Thinking", "", "busy");
  if (page.mode === MODE.TEXT) return status("Connected", "", "live");
  if (page.muted) return status("Muted", page.hasKeys ? "Hold Space to talk" : "Hold the button to talk", "hold");
  return status("Listening", "", "live");
}

/** The provider ends each of its connections after a while; the next one takes over by itself. */
function markOf({ lineEndsAt }, { pageMs }) {
  if (lineEndsAt === null) return "";
  const left = Math.ceil((lineEndsAt - pageMs) / 1000);
  return left > 0 ? `New line in ${clock(left * 1000)}` : "New line any moment";
}

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {boolean} playing  something is heard
 * @returns {"listening" | "waiting" | "speaking"}
 */
export function activityOf(state, playing) {
  // Producing a reply and playing it is the same to the user.
  if (playing || state.turnState === TURN_STATE.GENERATING) return TURN_STATE.SPEAKING;
  return state.turnState;
}

function speaking({ turnState }, { mode, playing, muted, interrupts, heldBack }) {
  if (heldBack) return status("Slow connection", "Waiting for more of the answer", "hold");
  if (mode === MODE.TEXT) return status(textWord(turnState, playing), "", "live");
  return status("Speaking", muted ? "You are muted" : interrupts ? "Talk to interrupt" : "You are heard next", "live");
}

/** A reply that is complete, and not heard, is no work any more. */
function textWord(turnState, playing) {
  if (playing) return "Speaking";
  return turnState === TURN_STATE.GENERATING ? "Answering" : "Connected";
}

function status(word, detail, tone, action = null, spoken = word) {
  return { word, detail, tone, action, spoken, mark: "" };
}

function connecting(state, now, mode) {
  return waitingFor(state) ? inLine(state, mode) : status("Connecting", "", "busy");
}

/** On the call page the button that hangs up leaves the line, too. */
function inLine({ place }, mode) {
  const isCall = mode === MODE.CALL;
  const what = isCall ? "The call starts by itself, and hears you from then on." : "The chat starts by itself.";
  const ordinal = ORDINALS[place - 1];
  const word = ordinal ? `${ordinal} in line` : place ? `Place ${place} in line` : "Waiting in line";
  const spoken = ordinal ? `You are ${ordinal.toLowerCase()} in line.` : `${word}.`;
  return status(word, what, "hold", isCall ? null : "leave", `${spoken} ${what}`);
}

function ended(state, now, mode) {
  return status("Ended", reasonText(state.reason), "quiet", mode === MODE.TEXT ? "reload" : null);
}

function reconnecting(state, { pageMs }) {
  const word = waitingFor(state) ? "Gemini is busy" : state.offline ? "Offline" : "Reconnecting";
  const detail = countdown(state, pageMs) || (state.behind ? "The server does not answer" : "");
  return status(word, detail, "hold", state.retryAt ? "retry" : null);
}

function exhausted(state, now) {
  const word = state.reason === STATE_REASON.FAIR_USE ? "Limit reached" : "Out of energy";
  const at = comebackAt(state, now);
  const back = at === null ? "" : `Back ${comebackWords(at, now.wallMs)}`;
  const detail = [reasonText(state.reason), back + timeLeft(at, now.wallMs)].filter(Boolean).join(" ");
  return status(word, detail, "down", "try-again", back ? `${word}. ${back}.` : `${word}.`);
}

/** A user who has reached a limit of their own comes back when the server tries again; quota has a time of its own. */
function comebackAt({ energy, retryAt }, { pageMs, wallMs }) {
  const quotaAt = energy?.level === 0 ? returnAt(energy) : null;
  if (quotaAt !== null || retryAt === null) return quotaAt;
  return Math.round((wallMs + retryAt - pageMs) / 1000) * 1000;
}

function timeLeft(at, wallMs) {
  const left = at === null ? 0 : at - wallMs;
  return left > 0 && left < HOUR_MS ? `, in ${clock(Math.ceil(left / 1000) * 1000)}` : "";
}

function countdown({ attempt, retryAt }, pageMs) {
  const tries = attempt > 1 ? `Try ${attempt}` : "";
  const left = retryAt === null ? 0 : Math.ceil((retryAt - pageMs) / 1000);
  return [tries, left > 0 ? `next in ${clock(left * 1000)}` : ""].filter(Boolean).join(", ");
}

/**
 * @param {string} reason  a code or a sentence
 * @returns {string}  a sentence; empty for a code that would say nothing to the user
 */
export function reasonText(reason) {
  if (REASONS[reason]) return REASONS[reason];
  return /\s/.test(reason) ? reason : "";
}
