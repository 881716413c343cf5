/**
 * The words and numbers of the browser protocol, see docs/browser-protocol.md.
 *
 * Generated from those of the server by `./run manage protocol_module`. Change them there.
 */

/** The `type` of what a page says. */
export const PAGE_MESSAGE = Object.freeze({
  START: "start",
  TEXT: "text",
  MIC: "mic",
  SOUND: "sound",
  STOP: "stop",
  RESET: "reset",
  RETRY: "retry",
  HANGUP: "hangup",
  OLDER: "older",
  PING: "ping",
  HEARD: "heard",
  RELEASED: "released",
  ATTACH: "attach",
});

/** The `type` of what a page is told. */
export const SERVER_MESSAGE = Object.freeze({
  READY: "ready",
  STATE: "state",
  TURN: "turn",
  TURNS: "turns",
  FLUSH: "flush",
  GENERATION_COMPLETE: "generation_complete",
  TURN_COMPLETE: "turn_complete",
  GO_AWAY: "go_away",
  ACK: "ack",
  LOST: "lost",
  ENERGY: "energy",
  TOAST: "toast",
  ERROR: "error",
  RELEASE: "release",
  PONG: "pong",
  RECORDINGS: "recordings",
  QUESTION: "question",
});

/** Why the server closed a page's socket. */
export const CLOSE = Object.freeze({
  HUNG_UP: 1000,
  DRAINING: 4012,
  MALFORMED: 4400,
  NOT_LOGGED_IN: 4401,
  NOT_YOURS: 4403,
  NO_START: 4408,
  OPENED_ELSEWHERE: 4409,
  TOO_LARGE: 4413,
  TOO_MUCH: 4429,
  OUR_FAULT: 4500,
});

/** What a conversation is held by. */
export const MODE = Object.freeze({
  CALL: "call",
  TEXT: "text",
});

/** Where a live session stands. */
export const STATE = Object.freeze({
  CONNECTING: "connecting",
  LIVE: "live",
  HANDOVER: "handover",
  RECONNECTING: "reconnecting",
  FALLING_BACK: "falling_back",
  EXHAUSTED: "exhausted",
  FAILED: "failed",
  ENDED: "ended",
});

/** Why it stands there. */
export const STATE_REASON = Object.freeze({
  QUEUED: "queued",
  BUSY: "busy",
  QUOTA: "quota",
  GONE: "gone",
  FAIR_USE: "fair-use",
  ACCESS_DENIED: "access-denied",
  BAD_KEY: "bad-key",
  BAD_REQUEST: "bad-request",
  BILLING: "billing",
  NETWORK: "network",
  PROVIDER_FAULT: "provider-fault",
  PROVIDER_UNAVAILABLE: "provider-unavailable",
  RATE_LIMIT: "rate-limit",
  REGION: "region",
  TOKEN_REFUSED: "token-refused",
});

/** How a live session came about. */
export const ACTION = Object.freeze({
  NEW: "new",
  ATTACHED: "attached",
  RESUMED: "resumed",
  REBUILT: "rebuilt",
});

/** Who speaks in a line of the transcript. */
export const ROLE = Object.freeze({
  USER: "user",
  MODEL: "model",
  SYSTEM: "system",
});

/** How far a line of the transcript has come. */
export const TURN_STATUS = Object.freeze({
  PARTIAL: "partial",
  COMPLETE: "complete",
  INTERRUPTED: "interrupted",
});

/** What a line of the server's own is about. */
export const TURN_CODE = Object.freeze({
  CUT: "turn.cut",
  GIVEN_AGAIN: "turn.given_again",
  ENERGY_LOWER: "energy.lower",
  NO_ANSWER: "turn.no_answer",
  NOT_HEARD: "turn.not_heard",
  REFUSED: "turn.refused",
  NO_VOICE: "turn.no_voice",
  GOES_ON: "call.goes_on",
  BEGINS_ANEW: "call.begins_anew",
  RECORDING_GONE: "recording.gone",
  RECORDING_NOT_READY: "recording.not_ready",
  RECORDING_REFUSED: "recording.refused",
  RECORDING_TOO_LONG: "recording.too_long",
  RECORDING_QUOTA: "recording.quota",
  RECORDING_UNAVAILABLE: "recording.unavailable",
});

/** What becomes of a question about recordings. */
export const QUESTION_STATE = Object.freeze({
  WAITING: "waiting",
  UPLOADING: "uploading",
  PROCESSING: "processing",
  ASKED: "asked",
  RETRYING: "retrying",
  OVER: "over",
});

/** Who has the word. */
export const TURN_STATE = Object.freeze({
  LISTENING: "listening",
  WAITING: "waiting",
  GENERATING: "generating",
  SPEAKING: "speaking",
});

/** What a toast is about. */
export const TOAST = Object.freeze({
  CALL_RESUMED: "call.resumed",
  CALL_STARTED: "call.started",
  CALL_RECONNECTING: "call.reconnecting",
  CALL_RECONNECTED: "call.reconnected",
  CALL_REBUILT: "call.rebuilt",
  CALL_FAILED: "call.failed",
  TEXT_RESUMED: "text.resumed",
  TEXT_STARTED: "text.started",
  TEXT_RECONNECTING: "text.reconnecting",
  TEXT_RECONNECTED: "text.reconnected",
  TEXT_REBUILT: "text.rebuilt",
  TEXT_FAILED: "text.failed",
  ENERGY_LOWER: "energy.lower",
  ENERGY_IN_TURNS: "energy.in_turns",
  ENERGY_RESTORED: "energy.restored",
  ENERGY_EXHAUSTED: "energy.exhausted",
  SETTINGS_APPLIED: "settings.applied",
  INPUT_LOST: "input.lost",
  BEGINS_ANEW: "begins_anew",
  TAKEOVER: "takeover",
  MOVED: "moved",
  SERVER_DRAINING: "server.draining",
});

/** How much a toast matters. */
export const TOAST_LEVEL = Object.freeze({
  INFO: "info",
  SUCCESS: "success",
  WARNING: "warning",
  ERROR: "error",
});

/** The `type` of what a session page says and is told. */
export const SESSION_PAGE = Object.freeze({
  WISH: "wish",
  SESSION: "session",
  DONE: "done",
});

/** What a session page may wish for a session. */
export const SESSION_WISH = Object.freeze({
  CONNECT: "connect",
  DISCONNECT: "disconnect",
  REFRESH: "refresh",
  FORGET: "forget",
  RESET: "reset",
});

/** What came of that. */
export const GRANTED = Object.freeze({
  DONE: "done",
  NOTHING: "nothing",
  UNREACHABLE: "unreachable",
});

/** An audio frame: a big-endian number, then little-endian samples of one channel. */
export const FRAME = Object.freeze({
  NUMBER_BYTES: 4,
  SAMPLE_BYTES: 2,
  UP_RATE_HZ: 16000,
  DOWN_RATE_HZ: 24000,
});

/** What the server takes; `AUDIO_SPEED` in multiples of real time. */
export const LIMIT = Object.freeze({
  TYPED_CHARACTERS: 32000,
  RECORDINGS: 20,
  AUDIO_SPEED: 3,
  RESENT_AUDIO_MS: 60000,
  MESSAGES_PER_S: 20,
});
