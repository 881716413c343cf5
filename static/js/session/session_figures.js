/**
 * What the session page says about a session, in words and figures. Pure.
 *
 * @typedef {object} ModeReport  as `docs/browser-protocol.md` has it
 *
 * @typedef {object} Figure
 * @property {string} name  for style sheets and tests
 * @property {string} label
 * @property {string} value
 * @property {number} [share]  0 to 1, where a bar shows it too
 *
 * @typedef {object} Headline
 * @property {string} word
 * @property {string} detail
 * @property {"quiet" | "live" | "busy" | "hold" | "down"} tone
 */

import { clock, duration } from "../helpers/time.js";
import { IN_TURNS } from "./energy_words.js";
import { GRANTED, SESSION_WISH, STATE, TURN_STATE } from "./protocol.js";
import { reasonText } from "./status_words.js";

const UNKNOWN = "not known";

const WORDS = {
  none: ["No session", "quiet"],
  unknown: ["Live elsewhere", "hold"],
  [STATE.CONNECTING]: ["Connecting", "busy"],
  [STATE.LIVE]: ["Live", "live"],
  [STATE.HANDOVER]: ["Changing lines", "busy"],
  [STATE.RECONNECTING]: ["Reconnecting", "hold"],
  [STATE.FALLING_BACK]: ["Changing to another model", "hold"],
  [STATE.EXHAUSTED]: ["Out of energy", "down"],
  [STATE.FAILED]: ["No connection", "down"],
  [STATE.ENDED]: ["Ended", "quiet"],
};

const TURN_WORDS = {
  [TURN_STATE.LISTENING]: "listening",
  [TURN_STATE.WAITING]: "thinking",
  [TURN_STATE.GENERATING]: "producing a reply",
  [TURN_STATE.SPEAKING]: "reply complete, being played",
};

const ACTIONS = {
  new: "new, nothing from before",
  attached: "attached",
  resumed: "resumed by its handle",
  rebuilt: "rebuilt, given the conversation",
};

const CAUSES = {
  "go-away": "Announced by Gemini",
  "level-changed": "Change of model",
  "memory-lost": "Gemini had forgotten",
  refresh: "You asked for it",
  settings: "Your settings changed",
  network: "Connection lost",
  silent: "Gemini fell silent",
  "send-blocked": "Gemini took nothing",
  quota: "Quota used up",
};

const ENDS = {
  "hung-up": "hung up",
  reset: "reset",
  "page-gone": "its page was closed",
  "logged-out": "you were logged out",
  "taken-over": "opened in another place",
  "owner-lost": "its server process ended",
  operator: "ended by an operator",
  draining: "the server restarted",
};

const RESULTS = {
  [GRANTED.DONE]: {
    [SESSION_WISH.CONNECT]: "Trying to connect.",
    [SESSION_WISH.DISCONNECT]: "Disconnected.",
    [SESSION_WISH.REFRESH]: "The next connection takes over at the next safe point.",
    [SESSION_WISH.FORGET]: "The handle is forgotten.",
    [SESSION_WISH.RESET]: "A new conversation has begun.",
  },
  [GRANTED.NOTHING]: "There is nothing to do this for.",
  [GRANTED.UNREACHABLE]: "The server process that has the session did not answer. Try again.",
};

const QUESTIONS = {
  [SESSION_WISH.DISCONNECT]: {
    title: "Disconnect?",
    text: "The conversation ends, as when you hang up. It stays in the history.",
    yes: "Disconnect",
  },
  [SESSION_WISH.RESET]: {
    title: "Reset?",
    text: "The conversation ends and a new one begins on its page. Nothing that was said is known in it; the history keeps it.",
    yes: "Reset",
  },
};

/** @param {string} wish @returns {{title: string, text: string, yes: string}}  asked before it is done */
export const questionFor = (wish) => QUESTIONS[wish];

/** @param {{wish: string, result: string}} done @returns {string}  a sentence */
export function resultText({ wish, result }) {
  const words = RESULTS[result];
  return typeof words === "string" ? words : words[wish];
}

/** @param {string} cause  of a gap @returns {string} */
export const causeText = (cause) => CAUSES[cause] ?? (reasonText(cause) || cause.replaceAll("-", " ") || "Another reason");

/**
 * @param {ModeReport} report
 * @param {number} nowMs  since the epoch
 * @returns {Headline}
 */
export function headlineOf(report, nowMs) {
  const [stateWord, tone] = WORDS[report.state] ?? [report.state, "quiet"];
  const word = report.state === STATE.LIVE && report.level?.word === IN_TURNS ? "In turns" : stateWord;
  return { word, tone, detail: detailOf(report, nowMs) };
}

function detailOf(report, nowMs) {
  if (report.state === "none") return endedText(report, nowMs);
  if (!report.known) return "The server process that has this session does not answer: only what is stored is shown.";
  if (report.place !== null) return `In line for a place: number ${report.place}.`;
  if (report.go_away_in_ms !== null) {
    const left = duration(Math.round(report.go_away_in_ms / 1000) * 1000);
    return `Gemini ends this connection in ${left}. The next one takes over by itself.`;
  }
  if (report.refresh_is_due) return "The next connection takes over as soon as nobody is speaking.";
  return reasonText(report.reason ?? "");
}

function endedText({ ended, has_valid_resumption_data: held }, nowMs) {
  const parts = [];
  if (ended) {
    const ago = duration(Math.max(0, Math.round((nowMs - Date.parse(ended.at)) / 1000) * 1000));
    parts.push(`The last one ended ${ago} ago: ${ENDS[ended.reason] ?? (ended.reason || "no reason is known")}.`);
  }
  if (held) parts.push("Its handle is kept for the page that had it.");
  return parts.join(" ") || "There has been none yet.";
}

/**
 * @param {ModeReport} report
 * @param {number} nowMs
 * @returns {{title: string, figures: Figure[]}[]}  empty without a session
 */
export function figuresOf(report, nowMs) {
  if (report.state === "none") return [];
  return [
    { title: "Session", figures: sessionFigures(report) },
    { title: "Connection", figures: connectionFigures(report, nowMs) },
    { title: "Handle", figures: handleFigures(report) },
    { title: "What you said", figures: inputFigures(report) },
    { title: "Tokens", figures: tokenFigures(report) },
  ];
}

function sessionFigures({ action, model, level, duration_ms: ms, turn_state: turn }) {
  return [
    figure("action", "Last set-up", ACTIONS[action] ?? "none yet"),
    figure("model", "Model", model ?? "none"),
    figure("level", "Level", `${level.number} of ${level.top}, ${level.word}`),
    figure("duration", "Running for", clock(ms)),
    figure("turn", "The model", TURN_WORDS[turn] ?? UNKNOWN),
  ];
}

function connectionFigures(report, nowMs) {
  const lastMs = report.last_message_at === null ? null : Math.max(0, nowMs - report.last_message_at * 1000);
  return [
    figure("connections", "Connections so far", String(report.connections)),
    figure("go-away", "Next planned end", report.go_away_in_ms === null ? "not announced" : `in ${clock(report.go_away_in_ms)}`),
    figure("last-message", "Last message from Gemini", lastMs === null ? UNKNOWN : `${duration(Math.round(lastMs / 1000) * 1000)} ago`),
    figure("round-trip", "Round trip to Gemini", milliseconds(report.round_trip_ms)),
    figure("lag", "Event loop late by", milliseconds(report.loop_lag_ms)),
  ];
}

function handleFigures({ handle, has_valid_resumption_data: held, resumption_enabled: resumes, compression_enabled: compresses }) {
  const switches = [
    figure("resumption", "Resumption", onOff(resumes)),
    figure("compression", "Compression", onOff(compresses)),
  ];
  if (!held || handle === null) return [figure("handle", "Handle", held ? "there" : "none"), ...switches];
  return [
    figure("handle", "Handle", "there"),
    figure("handle-age", "Age", clock(handle.age_ms)),
    figure("handle-covers", "Covers", coverText(handle)),
    ...switches,
  ];
}

function coverText({ covers_turn: turn, covers_frames: frames }) {
  const turns = turn < 0 ? "no turn" : `turns up to ${turn}`;
  return frames > 0 ? `${turns}, ${number(frames)} frames` : turns;
}

function inputFigures(report) {
  const { ms, messages } = report.lost;
  const lost = [ms && duration(ms), messages && `${messages} message${messages === 1 ? "" : "s"}`].filter(Boolean);
  return [
    figure("frames-sent", "Frames sent", number(report.frames_sent)),
    figure("frames-acknowledged", "Acknowledged", number(report.frames_acknowledged)),
    figure("frames-waiting", "Waiting", number(report.frames_waiting)),
    figure("frames-resent", "Sent again", number(report.frames_resent)),
    figure("lost", "Lost", lost.join(" and ") || "nothing"),
  ];
}

function tokenFigures({ usage, context }) {
  const figures = [
    figure("turns", "Replies", number(usage.turns)),
    figure("tokens-in", "Tokens in", number(usage.input_tokens)),
    figure("tokens-out", "Tokens out", number(usage.output_tokens)),
    figure("cost", "Cost", usage.cost),
  ];
  if (context === null) return [...figures, figure("context", "Context in use", UNKNOWN)];
  const share = Math.min(1, context.tokens / context.window_tokens);
  const value = `${number(context.tokens)} of ${number(context.window_tokens)}`;
  return [...figures, { ...figure("context", "Context in use", value), share }];
}

const figure = (name, label, value) => ({ name, label, value });
const number = (value) => (value === null ? UNKNOWN : value.toLocaleString("en-GB"));
const milliseconds = (value) => (value === null ? UNKNOWN : `${value} ms`);
const onOff = (value) => (value === null ? UNKNOWN : value ? "on" : "off");

/**
 * @param {ModeReport} report
 * @returns {Set<string>}  the wishes that make sense now
 */
export function possibleWishes(report) {
  const wishes = new Set();
  if (report.has_valid_resumption_data) wishes.add(SESSION_WISH.FORGET);
  if (report.state === "none") return wishes;
  wishes.add(SESSION_WISH.DISCONNECT).add(SESSION_WISH.RESET);
  if (!report.known || (report.state === STATE.LIVE && !report.refresh_is_due)) wishes.add(SESSION_WISH.REFRESH);
  if ([STATE.RECONNECTING, STATE.FAILED, STATE.EXHAUSTED].includes(report.state)) wishes.add(SESSION_WISH.CONNECT);
  return wishes;
}
