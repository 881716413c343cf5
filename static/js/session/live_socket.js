/**
 * The page's WebSocket: one connection at a time, opened again by itself when it is lost. It carries messages and decides
 * nothing about them.
 *
 * @typedef {object} LinkChange
 * @property {"opening" | "open" | "silent" | "heard" | "waiting" | "closed"} link  `silent`: nothing comes from the
 *   server, though the connection stands; `heard`: it goes on
 * @property {number} attempt  0 while nothing went wrong
 * @property {number} [retryInMs]  with `waiting`
 * @property {boolean} [offline]  with `silent` and `waiting`: the browser says that there is no network
 * @property {import("./close_policy.js").CloseAction} [action]  with `closed`
 * @property {string} [text]  with `closed`: why, for the user
 */

import { retryDelayMs } from "./backoff.js";
import { verdictOnClose } from "./close_policy.js";
import { parse, ping } from "./messages.js";
import { SERVER_MESSAGE } from "./protocol.js";

const OPEN_TIMEOUT_MS = 10000;
const PING_EVERY_MS = 1000;
/** With the time between two pings this is less than the 3 s within which an outage is to be told. */
const SILENT_AFTER_MS = 1500;
/** A network that is only slow gets so long: to open a new connection through it would make it slower still. */
const PONG_TIMEOUT_MS = 10000;
/** After sleep a connection is often dead without a word, so it gets less time to prove itself. */
const WAKE_PONG_TIMEOUT_MS = 3000;
/** The browser says that there is no network; a server on the same machine answers all the same. */
const OFFLINE_PONG_TIMEOUT_MS = 1000;
/** A timer that is so late says that this page stood still, and nothing about the server. */
const STANDSTILL_MS = 1000;
/** A connection that held this long was a good one: the next loss starts counting anew. */
const STABLE_MS = 10000;
/** Beyond this the network takes nothing, and more would only delay what comes after. */
const MOST_BUFFERED_BYTES = 128 * 1024;

export class LiveSocket {
  /**
   * @param {object} options
   * @param {string} options.url
   * @param {(awayMs: number) => object} options.hello  the first message of each connection, which may say how long
   *   nothing was heard of the server
   * @param {(message: {type: string}) => void} options.onMessage
   * @param {(frame: ArrayBuffer) => void} options.onFrame
   * @param {(change: LinkChange) => void} options.onLink
   * @param {() => number} [options.random]
   */
  constructor({ url, hello, onMessage, onFrame, onLink, random = Math.random }) {
    this._url = url;
    this._hello = hello;
    this._onMessage = onMessage;
    this._onFrame = onFrame;
    this._onLink = onLink;
    this._random = random;
    this._socket = null;
    this._attempt = 0;
    this._wanted = false;
    this._timers = new Map();
    /** When the present outage began; null while there is none. */
    this._awaySince = null;
    this._isSilent = false;
    this._pingedAt = null;
    /** The code of the last fatal error: why the present connection is about to be closed. */
    this._fatalError = "";
    this._wake = () => this._onWake();
    this._goOnline = () => this._onOnline();
    this._goOffline = () => this._onOffline();
    this._comeBack = ({ persisted }) => persisted && this._onWake();
  }

  get isOpen() {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  /** True while the network takes what is sent. */
  get hasRoom() {
    return this.isOpen && this._socket.bufferedAmount < MOST_BUFFERED_BYTES;
  }

  /** Opens the connection and keeps it open. May be called twice. */
  open() {
    if (this._wanted) return;
    this._wanted = true;
    this._attempt = 0;
    this._awaySince = null;
    window.addEventListener("online", this._goOnline);
    window.addEventListener("offline", this._goOffline);
    window.addEventListener("pageshow", this._comeBack);
    document.addEventListener("visibilitychange", this._wake);
    this._connect();
  }

  /** Closes the connection for good. May be called twice. */
  close() {
    this._wanted = false;
    window.removeEventListener("online", this._goOnline);
    window.removeEventListener("offline", this._goOffline);
    window.removeEventListener("pageshow", this._comeBack);
    document.removeEventListener("visibilitychange", this._wake);
    this._abandon();
  }

  /** Tries now instead of when the countdown ends. */
  retryNow() {
    if (this._wanted && !this._socket) this._connect();
  }

  /**
   * @param {object | ArrayBuffer} message
   * @returns {boolean}  false when there is no open connection
   */
  send(message) {
    if (!this.isOpen) return false;
    this._socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
    return true;
  }

  _connect() {
    this._clearTimers();
    this._fatalError = "";
    const socket = new WebSocket(this._url);
    socket.binaryType = "arraybuffer";
    this._socket = socket;
    socket.onopen = () => this._opened();
    socket.onmessage = ({ data }) => this._received(data);
    socket.onclose = ({ code }) => this._closed(code);
    this._after("open", OPEN_TIMEOUT_MS, () => this._lost());
    this._onLink({ link: "opening", attempt: this._attempt });
  }

  _opened() {
    this._cancel("open");
    this._after("stable", STABLE_MS, () => (this._attempt = 0));
    this._after("ping", PING_EVERY_MS, () => this._ping());
    this.send(this._hello(this._awayMs()));
    this._onLink({ link: "open", attempt: this._attempt });
  }

  _received(data) {
    this._heard();
    if (data instanceof ArrayBuffer) {
      this._onFrame(data);
      return;
    }
    const message = parse(data);
    if (message?.type === SERVER_MESSAGE.ERROR && message.fatal) this._fatalError = message.code;
    if (message && message.type !== SERVER_MESSAGE.PONG) this._onMessage(message);
  }

  /** Whatever comes proves that the server is there, and that the way from it is open. */
  _heard() {
    for (const name of ["pong", "silent"]) this._cancel(name);
    this._pingedAt = null;
    const awayMs = this._awayMs();
    this._awaySince = null;
    if (!this._isSilent) return;
    this._isSilent = false;
    this.send(ping(Math.round(performance.now()), awayMs));
    this._onLink({ link: "heard", attempt: this._attempt });
  }

  _ping(timeoutMs = PONG_TIMEOUT_MS) {
    this.send(ping(Math.round(performance.now())));
    this._after("ping", PING_EVERY_MS, () => this._ping());
    if (this._pingedAt !== null && timeoutMs === PONG_TIMEOUT_MS) return;
    this._pingedAt ??= performance.now();
    this._unlessAnswered("silent", SILENT_AFTER_MS, () => this._fallSilent());
    this._unlessAnswered("pong", timeoutMs, () => this._lost());
  }

  /** A page that stood still may have the answer waiting: it asks once more. */
  _unlessAnswered(name, ms, callback) {
    const due = performance.now() + ms;
    this._after(name, ms, () => {
      if (performance.now() - due < STANDSTILL_MS) return callback();
      this._pingedAt = null;
      this._ping();
    });
  }

  _fallSilent() {
    if (this._isSilent) return;
    this._isSilent = true;
    this._awaySince ??= this._pingedAt;
    this._onLink({ link: "silent", attempt: this._attempt, offline: !navigator.onLine });
  }

  _awayMs() {
    return this._awaySince === null ? 0 : Math.round(performance.now() - this._awaySince);
  }

  _closed(code) {
    const { action, text } = verdictOnClose(code, this._fatalError);
    if (action === "reconnect") {
      this._lost();
      return;
    }
    this.close();
    this._onLink({ link: "closed", attempt: 0, action, text });
  }

  _lost() {
    this._awaySince ??= this._pingedAt ?? performance.now();
    this._abandon();
    this._attempt += 1;
    const retryInMs = retryDelayMs(this._attempt, this._random());
    this._after("retry", retryInMs, () => this._connect());
    this._onLink({ link: "waiting", attempt: this._attempt, retryInMs, offline: !navigator.onLine });
  }

  /** Lets go of the socket without waiting for its close event, which a dead network can hold back for a minute. */
  _abandon() {
    this._clearTimers();
    this._isSilent = false;
    this._pingedAt = null;
    if (!this._socket) return;
    this._socket.onopen = this._socket.onmessage = this._socket.onclose = null;
    this._socket.close();
    this._socket = null;
  }

  _onWake() {
    if (document.visibilityState === "hidden") return;
    if (this.isOpen) this._ping(WAKE_PONG_TIMEOUT_MS);
    else this.retryNow();
  }

  /** What was dialled without a network waits for packets that are lost, while a new one gets through at once. */
  _onOnline() {
    if (this._socket && !this.isOpen) {
      this._abandon();
      this._connect();
    } else {
      this._onWake();
    }
  }

  _onOffline() {
    if (this.isOpen) this._ping(OFFLINE_PONG_TIMEOUT_MS);
  }

  _after(name, ms, callback) {
    this._cancel(name);
    this._timers.set(name, setTimeout(callback, ms));
  }

  _cancel(name) {
    clearTimeout(this._timers.get(name));
    this._timers.delete(name);
  }

  _clearTimers() {
    for (const name of [...this._timers.keys()]) this._cancel(name);
  }
}
