/**
 * The page's WebSocket: one connection at a time, opened again by itself when it is lost. It carries messages and decides
 * nothing about them.
 *
 * @typedef {object} LinkChange
 * @property {"opening" | "open" | "waiting" | "closed"} link
 * @property {number} attempt  0 while nothing went wrong
 * @property {number} [retryInMs]  with `waiting`
 * @property {import("./close_policy.js").CloseAction} [action]  with `closed`
 * @property {string} [text]  with `closed`: why, for the user
 */

import { retryDelayMs } from "./backoff.js";
import { verdictOnClose } from "./close_policy.js";
import { parse, ping } from "./messages.js";
import { SERVER_MESSAGE } from "./protocol.js";

const OPEN_TIMEOUT_MS = 10000;
const PING_EVERY_MS = 15000;
const PONG_TIMEOUT_MS = 10000;
/** After sleep a connection is often dead without a word, so it gets less time to prove itself. */
const WAKE_PONG_TIMEOUT_MS = 3000;
/** A connection that held this long was a good one: the next loss starts counting anew. */
const STABLE_MS = 10000;
/** Beyond this the network takes nothing, and more would only delay what comes after. */
const MOST_BUFFERED_BYTES = 128 * 1024;

export class LiveSocket {
  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => object} options.hello  the first message of each connection
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
    this._wake = () => this._onWake();
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
    window.addEventListener("online", this._wake);
    window.addEventListener("pageshow", this._comeBack);
    document.addEventListener("visibilitychange", this._wake);
    this._connect();
  }

  /** Closes the connection for good. May be called twice. */
  close() {
    this._wanted = false;
    window.removeEventListener("online", this._wake);
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
    this._after("ping", PING_EVERY_MS, () => this._ping(PONG_TIMEOUT_MS));
    this.send(this._hello());
    this._onLink({ link: "open", attempt: this._attempt });
  }

  _received(data) {
    this._cancel("pong");
    if (data instanceof ArrayBuffer) {
      this._onFrame(data);
      return;
    }
    const message = parse(data);
    if (message && message.type !== SERVER_MESSAGE.PONG) this._onMessage(message);
  }

  _ping(timeoutMs) {
    this.send(ping(Math.round(performance.now())));
    this._after("pong", timeoutMs, () => this._lost());
    this._after("ping", PING_EVERY_MS, () => this._ping(PONG_TIMEOUT_MS));
  }

  _closed(code) {
    const { action, text } = verdictOnClose(code);
    if (action === "reconnect") {
      this._lost();
      return;
    }
    this.close();
    this._onLink({ link: "closed", attempt: 0, action, text });
  }

  _lost() {
    this._abandon();
    this._attempt += 1;
    const retryInMs = retryDelayMs(this._attempt, this._random());
    this._after("retry", retryInMs, () => this._connect());
    this._onLink({ link: "waiting", attempt: this._attempt, retryInMs });
  }

  /** Lets go of the socket without waiting for its close event, which a dead network can hold back for a minute. */
  _abandon() {
    this._clearTimers();
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
