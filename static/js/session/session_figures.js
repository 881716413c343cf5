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

import { gettext, interpolate, locale, ngettext, pgettext } from "../helpers/gettext.js";
import { ago, clock, duration, milliseconds } from "../helpers/time.js";
import { IN_TURNS, levelWord } from "./energy_words.js";
import { GRANTED, SESSION_WISH, STATE, TURN_STATE } from "./protocol.js";
import { reasonText } from "./status_words.js";

const UNKNOWN = gettext("not known");

const WORDS = {
  none: [gettext("No session"), "quiet"],
  unknown: [gettext("Live elsewhere"), "hold"],
  [STATE.CONNECTING]: [gettext("Connecting"), "busy"],
  [STATE.LIVE]: [gettext("Live"), "live"],
  [STATE.HANDOVER]: [gettext("Changing lines"), "busy"],
  [STATE.RECONNECTING]: [gettext("Reconnecting"), "hold"],
  [STATE.FALLING_BACK]: [gettext("Changing to another model"), "hold"],
  [STATE.EXHAUSTED]: [gettext("Out of energy"), "down"],
  [STATE.FAILED]: [gettext("No connection"), "down"],
  [STATE.ENDED]: [gettext("Ended"), "quiet"],
};

const TURN_WORDS = {
  [TURN_STATE.LISTENING]: gettext("listening"),
  [TURN_STATE.WAITING]: gettext("thinking"),
  [TURN_STATE.GENERATING]: gettext("producing a reply"),
  [TURN_STATE.SPEAKING]: gettext("reply complete, being played"),
};

const ACTIONS = {
  new: gettext("new, nothing from before"),
  attached: gettext("attached"),
  resumed: gettext("resumed by its handle"),
  rebuilt: gettext("rebuilt, given the conversation"),
};

const ACTION_WORDS = {
  // Translators: this and the three that follow say how a connection went on from the one before it, in a table.
  new: pgettext("connection", "new"),
  attached: pgettext("connection", "attached"),
  resumed: pgettext("connection", "resumed"),
  rebuilt: pgettext("connection", "rebuilt"),
};

const CAUSES = {
  "go-away": gettext("Announced by Gemini"),
  "level-changed": gettext("Change of model"),
  "memory-lost": gettext("Gemini had forgotten"),
  refresh: gettext("You asked for it"),
  settings: gettext("Your settings changed"),
  network: gettext("Connection lost"),
  silent: gettext("Gemini fell silent"),
  "send-blocked": gettext("Gemini took nothing"),
  quota: gettext("Quota used up"),
};

/** Each behind a colon. */
const ENDS = {
  "hung-up": gettext("hung up"),
  reset: pgettext("a session was", "reset"),
  "page-gone": gettext("its page was closed"),
  "logged-out": gettext("you were logged out"),
  "taken-over": gettext("opened in another place"),
  "owner-lost": gettext("its server process ended"),
  operator: gettext("ended by an operator"),
  draining: gettext("the server restarted"),
};

const RESULTS = {
  [GRANTED.DONE]: {
    [SESSION_WISH.CONNECT]: gettext("Trying to connect."),
    [SESSION_WISH.DISCONNECT]: gettext("Disconnected."),
    [SESSION_WISH.REFRESH]: gettext("The next connection takes over at the next safe point."),
    [SESSION_WISH.FORGET]: gettext("The handle is forgotten."),
    [SESSION_WISH.RESET]: gettext("A new conversation has begun."),
  },
  [GRANTED.NOTHING]: gettext("There is nothing to do this for."),
  [GRANTED.UNREACHABLE]: gettext("The server process that has the session did not answer. Try again."),
};

const QUESTIONS = {
  [SESSION_WISH.DISCONNECT]: {
    title: gettext("Disconnect?"),
    text: gettext("The conversation ends, as when you hang up. It stays in the history."),
    yes: gettext("Disconnect"),
  },
  [SESSION_WISH.RESET]: {
    title: gettext("Reset?"),
    text: gettext("The conversation ends and a new one begins on its page. Nothing that was said is known in it; the history keeps it."),
    yes: gettext("Reset"),
  },
};

/** @param {string} wish @returns {{title: string, text: string, yes: string}}  asked before it is done */
export const questionFor = (wish) => QUESTIONS[wish];

/** @param {{wish: string, result: string}} done @returns {string}  a sentence */
export function resultText({ wish, result }) {
  const words = RESULTS[result];
  return typeof words === "string" ? words : words[wish];
}

/** @param {string | null} action  how a connection went on @returns {string} */
export const actionWord = (action) => ACTION_WORDS[action] ?? action ?? "";

/** @param {string} cause  of a gap @returns {string} */
export const causeText = (cause) => CAUSES[cause] ?? (reasonText(cause) || cause.replaceAll("-", " ") || gettext("Another reason"));

/**
 * @param {ModeReport} report
 * @param {number} nowMs  since the epoch
 * @returns {Headline}
 */
export function headlineOf(report, nowMs) {
  const [stateWord, tone] = WORDS[report.state] ?? [report.state, "quiet"];
  const word = report.state === STATE.LIVE && report.level?.word === IN_TURNS ? gettext("In turns") : stateWord;
  return { word, tone, detail: detailOf(report, nowMs) };
}

function detailOf(report, nowMs) {
  if (report.state === "none") return endedText(report, nowMs);
  if (!report.known) return gettext("The server process that has this session does not answer: only what is stored is shown.");
  if (report.place !== null) return interpolate(gettext("In line for a place: number %(place)s."), { place: report.place });
  if (report.go_away_in_ms !== null) {
    const left = duration(Math.round(report.go_away_in_ms / 1000) * 1000);
    return interpolate(gettext("Gemini ends this connection in %(time)s. The next one takes over by itself."), { time: left });
  }
  if (report.refresh_is_due) return gettext("The next connection takes over as soon as nobody is speaking.");
  return reasonText(report.reason ?? "");
}

function endedText({ ended, has_valid_resumption_data: held }, nowMs) {
  const parts = [];
  if (ended) {
    const when = ago(Math.max(0, nowMs - Date.parse(ended.at)));
    const reason = ENDS[ended.reason] ?? (ended.reason || gettext("no reason is known"));
    parts.push(interpolate(gettext("The last one ended %(when)s: %(reason)s."), { when, reason }));
  }
  if (held) parts.push(gettext("Its handle is kept for the page that had it."));
  return parts.join(" ") || gettext("There has been none yet.");
}

/**
 * @param {ModeReport} report
 * @param {number} nowMs
 * @returns {{title: string, figures: Figure[]}[]}  empty without a session
 */
export function figuresOf(report, nowMs) {
  if (report.state === "none") return [];
  return [
    { title: gettext("Session"), figures: sessionFigures(report) },
    { title: gettext("Connection"), figures: connectionFigures(report, nowMs) },
    { title: gettext("Handle"), figures: handleFigures(report) },
    { title: gettext("What you said"), figures: inputFigures(report) },
    { title: gettext("Tokens"), figures: tokenFigures(report) },
  ];
}

function sessionFigures({ action, model, level, duration_ms: ms, turn_state: turn }) {
  return [
    figure("action", gettext("Last set-up"), ACTIONS[action] ?? gettext("none yet")),
    figure("model", gettext("Model"), model ?? pgettext("model", "none")),
    figure("level", gettext("Level"), levelText(level)),
    figure("duration", gettext("Running for"), clock(ms)),
    figure("turn", gettext("The model"), TURN_WORDS[turn] ?? UNKNOWN),
  ];
}

function levelText({ number: level, top: max, word }) {
  return interpolate(gettext("%(level)s of %(max)s, %(word)s"), { level, max, word: levelWord(word) });
}

function connectionFigures(report, nowMs) {
  const lastMs = report.last_message_at === null ? null : Math.max(0, nowMs - report.last_message_at * 1000);
  const lastAgo = lastMs === null ? UNKNOWN : lastMs < 1000 ? gettext("just now") : ago(lastMs);
  const plannedEnd = report.go_away_in_ms === null ? gettext("not announced") : inTime(gettext("in %(time)s"), clock(report.go_away_in_ms));
  return [
    figure("connections", gettext("Connections so far"), String(report.connections)),
    figure("go-away", gettext("Next planned end"), plannedEnd),
    figure("last-message", gettext("Last message from Gemini"), lastAgo),
    figure("round-trip", gettext("Round trip to Gemini"), delay(report.round_trip_ms)),
    figure("lag", gettext("Event loop late by"), delay(report.loop_lag_ms)),
  ];
}

const inTime = (words, time) => interpolate(words, { time });

function handleFigures({ handle, has_valid_resumption_data: held, resumption_enabled: resumes, compression_enabled: compresses }) {
  const switches = [
    figure("resumption", gettext("Resumption"), onOff(resumes)),
    figure("compression", gettext("Compression"), onOff(compresses)),
  ];
  if (!held || handle === null) return [figure("handle", gettext("Handle"), held ? gettext("there") : pgettext("handle", "none")), ...switches];
  return [
    figure("handle", gettext("Handle"), gettext("there")),
    figure("handle-age", gettext("Age"), clock(handle.age_ms)),
    figure("handle-covers", gettext("Covers"), coverText(handle)),
    ...switches,
  ];
}

function coverText({ covers_turn: turn, covers_frames: frames }) {
  const turns = turn < 0 ? gettext("no turn") : interpolate(gettext("turns up to %(turn)s"), { turn });
  if (frames <= 0) return turns;
  // Translators: a list of two; "turns" is "no turn" or "turns up to 3", and frames are pieces of sound.
  return interpolate(ngettext("%(turns)s, %(count)s frames", "%(turns)s, %(count)s frames", frames), { turns, count: number(frames) });
}

function inputFigures(report) {
  const { ms, messages } = report.lost;
  const typed = interpolate(ngettext("%(count)s message", "%(count)s messages", messages), { count: messages });
  const lost = new Intl.ListFormat(locale).format([ms && duration(ms), messages && typed].filter(Boolean));
  return [
    figure("frames-sent", gettext("Frames sent"), number(report.frames_sent)),
    figure("frames-acknowledged", pgettext("frames", "Acknowledged"), number(report.frames_acknowledged)),
    figure("frames-waiting", pgettext("frames", "Waiting"), number(report.frames_waiting)),
    figure("frames-resent", pgettext("frames", "Sent again"), number(report.frames_resent)),
    figure("lost", pgettext("what was said", "Lost"), lost || gettext("nothing")),
  ];
}

function tokenFigures({ usage, context }) {
  const figures = [
    figure("turns", gettext("Replies"), number(usage.turns)),
    figure("tokens-in", gettext("Tokens in"), number(usage.input_tokens)),
    figure("tokens-out", gettext("Tokens out"), number(usage.output_tokens)),
    figure("cost", gettext("Cost"), usage.cost),
  ];
  if (context === null) return [...figures, figure("context", gettext("Context in use"), UNKNOWN)];
  const share = Math.min(1, context.tokens / context.window_tokens);
  const counts = { tokens: number(context.tokens), all: number(context.window_tokens) };
  // Translators: how many tokens of those that the model can have before it are used.
  const value = interpolate(gettext("%(tokens)s of %(all)s"), counts);
  return [...figures, { ...figure("context", gettext("Context in use"), value), share }];
}

const figure = (name, label, value) => ({ name, label, value });
const number = (value) => (value === null ? UNKNOWN : value.toLocaleString(locale));
const delay = (value) => (value === null ? UNKNOWN : milliseconds(value));
const onOff = (value) => (value === null ? UNKNOWN : value ? pgettext("switch", "on") : pgettext("switch", "off"));

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
