/**
 * What the page says about the line, in words. Pure.
 *
 * @typedef {object} Status
 * @property {string} word
 * @property {string} detail
 * @property {"quiet" | "live" | "busy" | "hold" | "down"} tone
 * @property {"retry" | "take-back" | "reload" | null} action
 */

import { clock } from "../helpers/time.js";

const OPERATOR = "Whoever runs this server has to look into it.";

/** The codes that mean something to the user, as sentences. */
const REASONS = {
  "access-denied": `Gemini does not let this server in. ${OPERATOR}`,
  "bad-key": `Gemini does not accept this server's key. ${OPERATOR}`,
  "bad-request": `Gemini does not understand this server. ${OPERATOR}`,
  billing: `The credit for Gemini is used up. ${OPERATOR}`,
  network: "Gemini cannot be reached.",
  "provider-fault": "Gemini has a fault at present.",
  "provider-unavailable": "Gemini cannot be reached.",
  quota: "The quota is used up for now.",
  "rate-limit": "Gemini asks for a pause.",
  region: `Gemini is not offered where this server stands. ${OPERATOR}`,
};

/** @type {{[phase: string]: (state: object, now: number, mode: "text" | "call") => Status}} */
const PHASES = {
  idle: () => status("Not connected", "", "quiet"),
  connecting: () => status("Connecting", "", "busy"),
  handover: () => status("Changing lines", "Keep going, nothing is lost", "busy"),
  reconnecting: (state, now) => status("Reconnecting", countdown(state, now), "hold", state.retryAt ? "retry" : null),
  falling_back: () => status("Changing model", "One moment", "hold"),
  exhausted: (state) => status("Out of energy", exhaustedDetail(state), "down", "retry"),
  failed: (state) => status("No connection", reasonText(state.reason), "down", "retry"),
  ended: (state, now, mode) => status("Ended", reasonText(state.reason), "quiet", mode === "text" ? "reload" : null),
  taken: () => status("Open in another place", "", "hold", "take-back"),
  stopped: (state) => status("Stopped", reasonText(state.reason), "down", "reload"),
};

/**
 * @param {import("./session_state.js").SessionState} state
 * @param {{playing: boolean, muted: boolean, mode: "text" | "call"}} page
 * @param {number} now  on the clock given to `reduce`
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

function status(word, detail, tone, action = null) {
  return { word, detail, tone, action };
}

function countdown({ attempt, retryAt }, now) {
  const tries = attempt > 1 ? `Try ${attempt}` : "";
  const left = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  return [tries, left > 0 ? `next in ${clock(left * 1000)}` : ""].filter(Boolean).join(", ");
}

function exhaustedDetail({ energy, reason }) {
  if (!energy?.resets_at) return reasonText(reason);
  const time = new Date(energy.resets_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return `Back at ${time}`;
}

/**
 * @param {string} reason  a code or a sentence
 * @returns {string}  a sentence; empty for a code that would say nothing to the user
 */
export function reasonText(reason) {
  if (REASONS[reason]) return REASONS[reason];
  return /\s/.test(reason) ? reason : "";
}
