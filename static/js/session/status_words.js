/**
 * What the page says about the line, in words. Pure.
 *
 * @typedef {object} Status
 * @property {string} word
 * @property {string} detail
 * @property {"quiet" | "live" | "busy" | "hold" | "down"} tone
 * @property {StatusAction | null} action
 * @property {string} spoken  for screen readers, once; it counts no seconds
 *
 * @typedef {"retry" | "try-again" | "leave" | "take-back" | "reload"} StatusAction
 *
 * @typedef {object} Now
 * @property {number} pageMs  on the clock given to `reduce`
 * @property {number} wallMs  since the epoch
 */

import { clock } from "../helpers/time.js";
import { comebackWords, returnAt } from "./energy_words.js";
import { waitingFor } from "./session_state.js";

const OPERATOR = "Whoever runs this server has to look into it.";

/** The codes that mean something to the user, as sentences. */
const REASONS = {
  "access-denied": `Gemini does not let this server in. ${OPERATOR}`,
  "bad-key": `Gemini does not accept this server's key. ${OPERATOR}`,
  "bad-request": `Gemini does not understand this server. ${OPERATOR}`,
  billing: `The credit for Gemini is used up. ${OPERATOR}`,
  busy: "Gemini has no room for one more conversation.",
  "fair-use": "You have reached a limit of this server.",
  network: "Gemini cannot be reached.",
  "provider-fault": "Gemini has a fault at present.",
  "provider-unavailable": "Gemini cannot be reached.",
  quota: "The quota is used up for now.",
  "rate-limit": "Gemini asks for a pause.",
  region: `Gemini is not offered where this server stands. ${OPERATOR}`,
};

const ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"];
const HOUR_MS = 3_600_000;

/** @type {{[phase: string]: (state: object, now: Now, mode: "text" | "call") => Status}} */
const PHASES = {
  idle: () => status("Not connected", "", "quiet"),
  connecting: (state, now, mode) => (waitingFor(state) ? inLine(state, mode) : status("Connecting", "", "busy")),
  handover: () => status("Changing lines", "Keep going, nothing is lost", "busy"),
  reconnecting,
  falling_back: () => status("Changing to another model", "One moment", "hold"),
  exhausted,
  failed: (state) => status("No connection", reasonText(state.reason), "down", "retry"),
  ended: (state, now, mode) => status("Ended", reasonText(state.reason), "quiet", mode === "text" ? "reload" : null),
  taken: () => status("Open in another place", "", "hold", "take-back"),
  stopped: (state) => status("Stopped", reasonText(state.reason), "down", "reload"),
};

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {{playing: boolean, muted: boolean, mode: "text" | "call"}} page
 * @param {Now} now
 * @returns {Status}
 */
export function statusOf(state, page, now) {
  if (state.phase !== "live") return PHASES[state.phase](state, now, page.mode);
  const activity = activityOf(state, page.playing);
  if (activity === "speaking") return speaking(page);
  if (activity === "thinking") return status("Thinking", "", "busy");
  if (page.mode === "text") return status("Connected", "", "live");
  return page.muted ? status("Muted", "Hold Space to talk", "hold") : status("Listening", "", "live");
}

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {boolean} playing  something is heard
 * @returns {"listening" | "thinking" | "speaking"}
 */
export function activityOf(state, playing) {
  if (playing || state.turnState === "answering") return "speaking";
  return state.turnState;
}

function speaking({ mode, playing, muted }) {
  if (mode === "text") return status(playing ? "Speaking" : "Answering", "", "live");
  return status("Speaking", muted ? "You are muted" : "Talk to interrupt", "live");
}

function status(word, detail, tone, action = null, spoken = word) {
  return { word, detail, tone, action, spoken };
}

/** On the call page the button that hangs up leaves the line, too. */
function inLine({ place }, mode) {
  const what = mode === "call" ? "The call starts by itself, and hears you from then on." : "The chat starts by itself.";
  const ordinal = ORDINALS[place - 1];
  const word = ordinal ? `${ordinal} in line` : place ? `Place ${place} in line` : "Waiting in line";
  const spoken = ordinal ? `You are ${ordinal.toLowerCase()} in line.` : `${word}.`;
  return status(word, what, "hold", mode === "text" ? "leave" : null, `${spoken} ${what}`);
}

function reconnecting(state, { pageMs }) {
  const word = waitingFor(state) ? "Gemini is busy" : "Reconnecting";
  return status(word, countdown(state, pageMs), "hold", state.retryAt ? "retry" : null);
}

function exhausted(state, now) {
  const word = state.reason === "fair-use" ? "Limit reached" : "Out of energy";
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
