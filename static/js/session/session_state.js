/**
 * Everything the page knows about its conversation, and how each message changes it. Pure: `reduce` returns a new state.
 *
 * @typedef {"idle" | "connecting" | "live" | "handover" | "reconnecting" | "falling_back" | "exhausted" | "failed"
 *           | "ended" | "taken" | "stopped"} Phase  the protocol's states, and three that only the page can know
 * @typedef {"listening" | "waiting" | "generating" | "speaking"} TurnState  the server's; `waiting`: nothing has
 *   come yet of the reply to what the user said
 * @typedef {"sending" | "sent" | "delivered" | "failed"} Delivery
 * @typedef {"none" | "some" | "loading" | "failed"} Earlier  whether there are turns before those that are shown, and
 *           what became of asking for them
 *
 * @typedef {object} SessionState
 * @property {Phase} phase
 * @property {boolean} ready  the server has taken the page in on the present connection
 * @property {number} attempt
 * @property {number | null} retryAt  when the next try is due, on the clock given to `reduce`
 * @property {string} reason
 * @property {boolean} offline  the page's own network is what is missing
 * @property {{phase: Phase, ready: boolean} | null} behind  what holds again as soon as the server is heard of, while
 *           nothing comes from it over a connection that stands
 * @property {boolean} isOverElsewhere  the conversation that another place took is not open there any more
 * @property {number | null} place  in the line of those who wait for a session of the project; 1 is next
 * @property {number | null} lineEndsAt  when the provider ends the present connection, on the same clock; null until it
 *           has said so
 * @property {TurnState} turnState
 * @property {number | null} producedTurn  the reply that has been produced whole, though words of it may still come
 * @property {boolean} soundOn  replies are played; else they are only read
 * @property {string | null} conversation
 * @property {"new" | "attached" | "resumed" | "rebuilt" | null} action  how the present live session came about
 * @property {string} model
 * @property {string | null} summary
 * @property {{conversation: string, title: string, ended_at: string} | null} goesOnFrom  the earlier call that this one
 *   began with
 * @property {import("./messages.js").Energy | null} energy
 * @property {import("./messages.js").Turn[]} turns  in order, none missing between the first and the last
 * @property {Earlier} earlier
 * @property {{id: string, text: string, recordings: string[], replaces: number | null, delivery: Delivery}[]} typed  in
 *   the order they were typed
 * @property {import("./messages.js").AttachedRecording[]} recordings  that are part of the conversation, in order
 * @property {{[id: string]: {state: string, recording: string | null, sent_bytes: number, size_bytes: number}}} questions
 *   what becomes of typed questions about recordings, by their ids, until their replies begin
 */

import {
  ACTION,
  PAGE_MESSAGE,
  QUESTION_STATE,
  ROLE,
  SERVER_MESSAGE,
  STATE,
  STATE_REASON,
  TURN_CODE,
  TURN_STATE,
  TURN_STATUS,
} from "./protocol.js";

/** @type {SessionState} */
export const INITIAL = Object.freeze({
  phase: "idle",
  ready: false,
  attempt: 0,
  retryAt: null,
  reason: "",
  offline: false,
  behind: null,
  isOverElsewhere: false,
  place: null,
  lineEndsAt: null,
  turnState: TURN_STATE.LISTENING,
  producedTurn: null,
  soundOn: true,
  conversation: null,
  action: null,
  model: "",
  summary: null,
  goesOnFrom: null,
  energy: null,
  turns: [],
  earlier: "none",
  typed: [],
  recordings: [],
  questions: {},
});

/** The `error` that answers a wish for earlier turns. */
export const EARLIER_UNAVAILABLE = "older.unavailable";

/** The `error` that answers audio which came too fast: it is to be sent again, from `audio` on. */
export const AUDIO_REFUSED = "limit.audio_rate";

const PHASE_AFTER_CLOSE = { end: STATE.ENDED, taken: "taken", stop: "stopped", login: "stopped" };

const HANDLERS = {
  [SERVER_MESSAGE.READY]: onReady,
  [SERVER_MESSAGE.STATE]: onServerState,
  [SERVER_MESSAGE.TURN]: onTurn,
  [SERVER_MESSAGE.TURNS]: onEarlierTurns,
  [SERVER_MESSAGE.GENERATION_COMPLETE]: onGenerationComplete,
  [SERVER_MESSAGE.TURN_COMPLETE]: onTurnComplete,
  [SERVER_MESSAGE.FLUSH]: (state) => ({ ...state, turnState: turnStateAfterFlush(state), producedTurn: null }),
  // The handover that follows is told as a state.
  [SERVER_MESSAGE.GO_AWAY]: (state, { time_left_ms: leftMs }, nowMs) => ({ ...state, lineEndsAt: nowMs + leftMs }),
  // What is left to send is the session's affair; a toast and the close follow.
  [SERVER_MESSAGE.RELEASE]: (state) => state,
  [SERVER_MESSAGE.ACK]: (state, { ids }) => withDelivery(state, ids ?? [], "delivered"),
  [SERVER_MESSAGE.LOST]: (state, { ids }) => withDelivery(state, ids ?? [], "failed"),
  [SERVER_MESSAGE.ERROR]: onError,
  [SERVER_MESSAGE.ENERGY]: (state, { type, ...energy }) => ({ ...state, energy, model: energy.model ?? state.model }),
  [SERVER_MESSAGE.RECORDINGS]: (state, { recordings }) => ({ ...state, recordings }),
  [SERVER_MESSAGE.QUESTION]: onQuestion,
  link: onLink,
  over_elsewhere: (state) => ({ ...state, isOverElsewhere: true }),
  earlier_asked: (state) => ({ ...state, earlier: "loading" }),
  earlier_missed: withoutEarlier,
  [PAGE_MESSAGE.SOUND]: (state, { on }) => ({ ...state, soundOn: on }),
  typed: onTyped,
  typed_sent: (state, { id }) => withDelivery(state, [id], "sent"),
  cleared: ({ phase, ready, energy, soundOn }) => ({ ...INITIAL, phase, ready, energy, soundOn }),
};

/**
 * @param {SessionState} state
 * @param {{type: string}} message  of the server, or `link`, `typed`, `typed_sent`, `earlier_asked`, `earlier_missed`,
 *   `over_elsewhere`, `cleared`, `sound` of the page itself
 * @param {number} nowMs
 * @returns {SessionState}
 */
export function reduce(state, message, nowMs) {
  const handler = HANDLERS[message.type];
  return handler ? handler(state, message, nowMs) : state;
}

/**
 * @param {SessionState} state
 * @returns {{id: string, text: string, recordings: string[], replaces: number | null, delivery: Delivery}[]}  typed
 *   messages without a turn
 */
export function untakenMessages(state) {
  const taken = new Set(state.turns.map((turn) => turn.id));
  return state.typed.filter((message) => !taken.has(message.id));
}

/**
 * @param {SessionState} state
 * @returns {"place" | "room" | "energy" | ""}  what the conversation waits for without a live session, if not for the
 *   network: its turn among the project's sessions, room at the provider, or quota
 */
export function waitingFor({ phase, reason }) {
  if (phase === STATE.CONNECTING && reason === STATE_REASON.QUEUED) return "place";
  if (phase === STATE.RECONNECTING && reason === STATE_REASON.BUSY) return "room";
  return phase === STATE.EXHAUSTED ? "energy" : "";
}

/**
 * @param {SessionState} state
 * @param {Delivery} delivery
 * @returns {Delivery}  as it is shown: what the server keeps for a live session that is yet to come is still on its way,
 *   and so is what went into a connection that has gone
 */
export function shownDelivery(state, delivery) {
  return delivery === "sent" && (waitingFor(state) || !state.ready) ? "sending" : delivery;
}

function onReady(state, message) {
  const sameConversation = message.conversation === state.conversation && message.action !== ACTION.NEW;
  const newest = message.transcript ?? [];
  // Of a long conversation only the newest turns come. After a long absence some may be missing between what the page
  // shows and those: then it begins with them anew.
  const goesOn = sameConversation && (!message.more || state.turns.at(-1)?.turn >= newest[0]?.turn);
  // What the server has replaces what the page saw. A line that was growing and that it has not grows no more: its
  // process did not live to store it.
  const turns = goesOn ? withTurns(state.turns.map(brokenOff), newest) : newest;
  const typed = sameConversation || state.conversation === null ? state.typed : state.typed.filter(isUndelivered);
  return {
    ...state,
    phase: STATE.LIVE,
    ready: true,
    attempt: 0,
    retryAt: null,
    reason: "",
    offline: false,
    behind: null,
    place: null,
    lineEndsAt: null,
    producedTurn: null,
    conversation: message.conversation,
    action: message.action,
    model: message.model ?? "",
    summary: message.summary ?? null,
    goesOnFrom: message.goes_on_from ?? null,
    energy: message.energy ?? state.energy,
    turns,
    earlier: earlierAfterReady(goesOn ? state : INITIAL, newest, message.more),
    typed,
    turnState: turnStateAfterReady({ ...state, turns, typed }),
    // What still waits is told after this.
    recordings: sameConversation ? state.recordings : [],
    questions: {},
  };
}

/** The end of a reply that came while the page was away is not told again. */
function turnStateAfterReady({ turns, typed, turnState }) {
  const last = turns.findLast(({ role }) => role !== ROLE.SYSTEM);
  const isOver = last === undefined || (last.role === ROLE.MODEL && last.status !== TURN_STATUS.PARTIAL);
  return isOver && untakenMessages({ turns, typed }).length === 0 ? TURN_STATE.LISTENING : turnState;
}

function earlierAfterReady({ turns, earlier }, newest, more) {
  if (turns[0]?.turn < newest[0]?.turn) return earlier;
  if (!more) return "none";
  return earlier === "none" ? "some" : earlier;
}

/** An answer that nobody waits for any more belongs to a conversation that was cleared. */
function onEarlierTurns(state, { turns, more }) {
  const isWaitedFor = state.earlier === "loading" || state.earlier === "failed";
  if (turns.length > 0 && !isWaitedFor) return state;
  return { ...state, turns: withTurns(state.turns, turns), earlier: more ? "some" : "none" };
}

function onError(state, { code, id }) {
  return code === EARLIER_UNAVAILABLE ? withoutEarlier(state) : withDelivery(state, id ? [id] : [], "failed");
}

function withoutEarlier(state) {
  return state.earlier === "loading" ? { ...state, earlier: "failed" } : state;
}

function onServerState(state, message, nowMs) {
  return {
    ...state,
    phase: message.state,
    offline: false,
    attempt: message.attempt ?? 0,
    retryAt: message.retry_in_ms ? nowMs + message.retry_in_ms : null,
    reason: message.reason ?? "",
    place: message.place ?? null,
    lineEndsAt: null,
  };
}

function onTurn(state, { type, ...turn }) {
  return { ...state, turns: withTurn(state.turns, turn), turnState: turnStateAfter(state, turn) };
}

function turnStateAfter(state, turn) {
  const isGrowing = turn.status === TURN_STATUS.PARTIAL;
  if (turn.turn === state.producedTurn) return state.turnState;
  if (turn.role === ROLE.MODEL) return isGrowing ? TURN_STATE.GENERATING : state.turnState;
  const isLatest = state.turns.every((other) => other.turn <= turn.turn);
  // The transcription of what was said may come when the answer has already begun.
  if (turn.role !== ROLE.USER || !isLatest) return state.turnState;
  return isGrowing ? TURN_STATE.LISTENING : TURN_STATE.WAITING;
}

/** What is produced is not heard yet, but it can be read; what has no words is heard alone. */
function onGenerationComplete(state, { turn }) {
  const produced = { ...state, producedTurn: turn };
  const isOfThis = state.turnState === TURN_STATE.GENERATING || state.turnState === TURN_STATE.WAITING;
  if (!isOfThis || waitsForNextAnswer(state, turn)) return produced;
  return { ...produced, turnState: state.soundOn ? TURN_STATE.SPEAKING : TURN_STATE.LISTENING };
}

function onTurnComplete(state, { turn }) {
  return waitsForNextAnswer(state, turn) ? state : { ...state, turnState: TURN_STATE.LISTENING };
}

/** The end of a turn is not that of the next one, which waits for its answer already. */
function waitsForNextAnswer(state, turn) {
  const hasGoneOn = state.turns.some((other) => other.role === ROLE.USER && other.turn > turn);
  return state.turnState === TURN_STATE.WAITING && (hasGoneOn || untakenMessages(state).length > 0);
}

function turnStateAfterFlush({ turnState }) {
  return turnState === TURN_STATE.WAITING ? TURN_STATE.WAITING : TURN_STATE.LISTENING;
}

function onLink(state, { link, attempt, retryInMs, action, text, offline }, nowMs) {
  if (link === "closed") {
    const typed = state.typed.map((message) => (isUndelivered(message) ? { ...message, delivery: "failed" } : message));
    const reason = text || state.reason;
    const phase = PHASE_AFTER_CLOSE[action];
    const off = { phase, ready: false, attempt: 0, retryAt: null, offline: false, behind: null, place: null };
    const closed = { ...state, ...off, reason, typed };
    return withoutEarlier(closed);
  }
  if (link === "open") return { ...state, retryAt: null };
  if (link === "silent") return silenced(state, offline);
  if (link === "heard") return state.behind ? { ...state, ...state.behind, offline: false, behind: null } : state;
  const phase = attempt === 0 ? STATE.CONNECTING : STATE.RECONNECTING;
  const retryAt = link === "waiting" && retryInMs > 0 ? nowMs + retryInMs : null;
  const lost = { phase, isOverElsewhere: false, ready: false, attempt, retryAt, offline: offline ?? state.offline, behind: null };
  return { ...state, ...lost, reason: "", place: null };
}

function silenced(state, offline) {
  const behind = { phase: state.phase, ready: state.ready };
  return { ...state, phase: STATE.RECONNECTING, ready: false, retryAt: null, offline, behind };
}

function onQuestion(state, { id, state: became, recording, sent_bytes, size_bytes }) {
  const { [id]: before, ...others } = state.questions;
  if (became === QUESTION_STATE.OVER) return { ...state, questions: others };
  return { ...state, questions: { ...others, [id]: { state: became, recording, sent_bytes, size_bytes } } };
}

function onTyped(state, { id, text, recordings = [], replaces = null }) {
  const delivery = state.phase === "stopped" ? "failed" : "sending";
  return { ...state, turnState: TURN_STATE.WAITING, typed: [...state.typed, { id, text, recordings, replaces, delivery }] };
}

function withTurn(turns, turn) {
  const rest = turns.filter((other) => other.turn !== turn.turn);
  const after = rest.findIndex((other) => other.turn > turn.turn);
  return after === -1 ? [...rest, turn] : [...rest.slice(0, after), turn, ...rest.slice(after)];
}

/** As many turns as the page may have are not put in one by one. */
function withTurns(turns, more) {
  const byNumber = new Map([...turns, ...more].map((turn) => [turn.turn, turn]));
  return [...byNumber.values()].sort((one, other) => one.turn - other.turn);
}

/** A line as it is when nobody can end it any more: words stand as heard, a reply is cut off. */
function brokenOff(turn) {
  if (turn.status !== TURN_STATUS.PARTIAL) return turn;
  if (turn.role !== ROLE.MODEL) return { ...turn, status: TURN_STATUS.COMPLETE };
  return { ...turn, status: TURN_STATUS.INTERRUPTED, code: TURN_CODE.CUT };
}

function withDelivery(state, ids, delivery) {
  if (ids.length === 0) return state;
  const typed = state.typed.map((message) => (ids.includes(message.id) ? { ...message, delivery } : message));
  return { ...state, typed };
}

function isUndelivered(message) {
  return message.delivery === "sending" || message.delivery === "sent";
}
