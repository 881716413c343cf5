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

import { gettext, interpolate } from "../helpers/gettext.js";
import { clock } from "../helpers/time.js";
import { comebackWords, returnAt } from "./energy_words.js";
import { MODE, STATE, STATE_REASON, TURN_STATE } from "./protocol.js";
import { waitingFor } from "./session_state.js";

const OPERATOR = gettext("Whoever runs this server has to look into it.");
const forOperator = (sentence) => `${sentence} ${OPERATOR}`;

/** The codes that mean something to the user, as sentences; who waits in line is told the place. */
const REASONS = {
  [STATE_REASON.ACCESS_DENIED]: forOperator(gettext("Gemini does not let this server in.")),
  [STATE_REASON.BAD_KEY]: forOperator(gettext("Gemini does not accept this server's key.")),
  [STATE_REASON.BAD_REQUEST]: forOperator(gettext("Gemini does not understand this server.")),
  [STATE_REASON.BILLING]: forOperator(gettext("The credit for Gemini is used up.")),
  [STATE_REASON.BUSY]: gettext("Gemini has no room for one more conversation."),
  [STATE_REASON.FAIR_USE]: gettext("You have reached a limit of this server."),
  [STATE_REASON.GONE]: gettext("The account or the conversation has been deleted."),
  [STATE_REASON.NETWORK]: gettext("Gemini cannot be reached."),
  [STATE_REASON.PROVIDER_FAULT]: gettext("Gemini has a fault at present."),
  [STATE_REASON.PROVIDER_UNAVAILABLE]: gettext("Gemini cannot be reached."),
  [STATE_REASON.QUOTA]: gettext("The quota is used up for now."),
  [STATE_REASON.RATE_LIMIT]: gettext("Gemini asks for a pause."),
  [STATE_REASON.TOKEN_REFUSED]: forOperator(gettext("Gemini does not accept how this server signs in.")),
  [STATE_REASON.REGION]: forOperator(gettext("Gemini is not offered where this server stands.")),
};

/** Who waits for a place, by how many are before them: what is shown, and what is read out. */
const PLACES = [
  [gettext("First in line"), gettext("You are first in line.")],
  [gettext("Second in line"), gettext("You are second in line.")],
  [gettext("Third in line"), gettext("You are third in line.")],
  [gettext("Fourth in line"), gettext("You are fourth in line.")],
  [gettext("Fifth in line"), gettext("You are fifth in line.")],
  [gettext("Sixth in line"), gettext("You are sixth in line.")],
  [gettext("Seventh in line"), gettext("You are seventh in line.")],
  [gettext("Eighth in line"), gettext("You are eighth in line.")],
  [gettext("Ninth in line"), gettext("You are ninth in line.")],
  [gettext("Tenth in line"), gettext("You are tenth in line.")],
];
const HOUR_MS = 3_600_000;

/** @type {{[phase: string]: (state: object, now: Now, mode: "text" | "call") => Status}} */
const PHASES = {
  idle: () => status(gettext("Not connected"), "", "quiet"),
  [STATE.CONNECTING]: connecting,
  [STATE.HANDOVER]: () => status(gettext("Changing lines"), gettext("Keep going, nothing is lost"), "busy"),
  [STATE.RECONNECTING]: reconnecting,
  [STATE.FALLING_BACK]: () => status(gettext("Changing to another model"), gettext("One moment"), "hold"),
  [STATE.EXHAUSTED]: exhausted,
  [STATE.FAILED]: (state) => status(gettext("No connection"), reasonText(state.reason), "down", "retry"),
  [STATE.ENDED]: ended,
  taken: ({ isOverElsewhere }) =>
    isOverElsewhere
      ? status(gettext("Not open"), gettext("It is over in the other place"), "quiet", "open-here")
      : status(gettext("Open in another place"), "", "hold", "take-back"),
  stopped: (state) => status(gettext("Stopped"), reasonText(state.reason), "down", "reload"),
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
  if (page.held) return status(gettext("On hold"), "", "hold");
  const activity = activityOf(state, page.playing);
  if (activity === TURN_STATE.SPEAKING) return speaking(state, page);
  if (activity === TURN_STATE.WAITING) return status(gettext("Thinking"), "", "busy");
  if (page.mode === MODE.TEXT) return status(gettext("Connected"), "", "live");
  if (page.muted) return status(gettext("Muted"), page.hasKeys ? gettext("Hold Space to talk") : gettext("Hold the button to talk"), "hold");
  return status(gettext("Listening"), "", "live");
}

/** The provider ends each of its connections after a while; the next one takes over by itself. */
function markOf({ lineEndsAt }, { pageMs }) {
  if (lineEndsAt === null) return "";
  const left = Math.ceil((lineEndsAt - pageMs) / 1000);
  return left > 0 ? interpolate(gettext("New line in %(time)s"), { time: clock(left * 1000) }) : gettext("New line any moment");
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
  if (heldBack) return status(gettext("Slow connection"), gettext("Waiting for more of the answer"), "hold");
  if (mode === MODE.TEXT) return status(textWord(turnState, playing), "", "live");
  const detail = muted ? gettext("You are muted") : interrupts ? gettext("Talk to interrupt") : gettext("You are heard next");
  return status(gettext("Speaking"), detail, "live");
}

/** A reply that is complete, and not heard, is no work any more. */
function textWord(turnState, playing) {
  if (playing) return gettext("Speaking");
  return turnState === TURN_STATE.GENERATING ? gettext("Answering") : gettext("Connected");
}

function status(word, detail, tone, action = null, spoken = word) {
  return { word, detail, tone, action, spoken, mark: "" };
}

function connecting(state, now, mode) {
  return waitingFor(state) ? inLine(state, mode) : status(gettext("Connecting"), "", "busy");
}

/** On the call page the button that hangs up leaves the line, too. */
function inLine({ place }, mode) {
  const isCall = mode === MODE.CALL;
  const what = isCall ? gettext("The call starts by itself, and hears you from then on.") : gettext("The chat starts by itself.");
  const [word, spoken] = PLACES[place - 1] ?? placeWords(place);
  return status(word, what, "hold", isCall ? null : "leave", `${spoken} ${what}`);
}

function placeWords(place) {
  if (!place) return [gettext("Waiting in line"), gettext("Waiting in line.")];
  return [gettext("Place %(place)s in line"), gettext("Place %(place)s in line.")].map((words) => interpolate(words, { place }));
}

function ended(state, now, mode) {
  return status(gettext("Ended"), reasonText(state.reason), "quiet", mode === MODE.TEXT ? "reload" : null);
}

function reconnecting(state, { pageMs }) {
  const word = waitingFor(state) ? gettext("Gemini is busy") : state.offline ? gettext("Offline") : gettext("Reconnecting");
  const detail = countdown(state, pageMs) || (state.behind ? gettext("The server does not answer") : "");
  return status(word, detail, "hold", state.retryAt ? "retry" : null);
}

function exhausted(state, now) {
  const word = state.reason === STATE_REASON.FAIR_USE ? gettext("Limit reached") : gettext("Out of energy");
  const at = comebackAt(state, now);
  const detail = [reasonText(state.reason), backText(at, now.wallMs)].filter(Boolean).join(" ");
  return status(word, detail, "down", "try-again", exhaustedAloud(word, at, now.wallMs));
}

/** A user who has reached a limit of their own comes back when the server tries again; quota has a time of its own. */
function comebackAt({ energy, retryAt }, { pageMs, wallMs }) {
  const quotaAt = energy?.level === 0 ? returnAt(energy) : null;
  if (quotaAt !== null || retryAt === null) return quotaAt;
  return Math.round((wallMs + retryAt - pageMs) / 1000) * 1000;
}

function backText(at, wallMs) {
  if (at === null) return "";
  const when = comebackWords(at, wallMs);
  const left = at - wallMs;
  if (left <= 0 || left >= HOUR_MS) return interpolate(gettext("Back %(when)s"), { when });
  // Translators: the service; such as "Back at 09:00, in 12:30", where 12:30 runs down.
  return interpolate(gettext("Back %(when)s, in %(time)s"), { when, time: clock(Math.ceil(left / 1000) * 1000) });
}

function exhaustedAloud(word, at, wallMs) {
  if (at === null) return `${word}.`;
  return interpolate(gettext("%(word)s. Back %(when)s."), { word, when: comebackWords(at, wallMs) });
}

function countdown({ attempt, retryAt }, pageMs) {
  const left = retryAt === null ? 0 : Math.ceil((retryAt - pageMs) / 1000);
  const time = clock(left * 1000);
  if (attempt <= 1) return left > 0 ? interpolate(gettext("next in %(time)s"), { time }) : "";
  const words = left > 0 ? gettext("Try %(attempt)s, next in %(time)s") : gettext("Try %(attempt)s");
  return interpolate(words, { attempt, time });
}

/**
 * @param {string} reason  a code or a sentence
 * @returns {string}  a sentence; empty for a code that would say nothing to the user
 */
export function reasonText(reason) {
  if (REASONS[reason]) return REASONS[reason];
  return /\s/.test(reason) ? reason : "";
}
