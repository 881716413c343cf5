/** A file on its way to the server: announced, sent part by part, gone on with after the line was torn, paused, cancelled. */

import { retryDelayMs } from "../session/backoff.js";
import { meaningOf, nextPart, partBytesAfter, partBytesAfterTear, SMALLEST_PART_BYTES } from "./plan.js";
import { EMPTY, NOT_LOGGED_IN, REFUSED } from "./words.js";

const CHECK_EVERY_MS = 700;
const NO_ANSWER_MS = 30_000;
const FIRST_PART_BYTES = 4 * SMALLEST_PART_BYTES;

/** The server takes this file no further; as a message, a sentence. */
class Refusal extends Error {}
/** Somebody has to log in. */
class LoggedOut extends Error {}
/** The line is torn, or nobody answers. */
class Torn extends Error {}

export class FileUpload {
  /**
   * @param {File} file
   * @param {object} how
   * @param {string} how.address  of uploads
   * @param {string} how.csrf  the page's token against forged requests
   * @param {boolean} how.keep  whether the recording stays without a conversation
   * @param {(upload: FileUpload) => void} how.onChange
   * @param {{id: string, received: number}} [how.begun]  the server has a part of it already
   */
  constructor(file, { address, csrf, keep, onChange, begun }) {
    this.name = file.name;
    this.size = file.size;
    this.received = begun?.received ?? 0;
    this.bytesPerS = 0;
    /** @type {"waiting" | "sending" | "torn" | "paused" | "checking" | "done" | "refused" | "cancelled"} */
    this.state = "waiting";
    this.text = "";
    /** Whether the server is being told that nothing comes of it any more. */
    this.isLeaving = false;
    /** @type {object | null}  as the server describes it, when it is done */
    this.recording = null;
    this._file = file;
    this._address = address;
    this._csrf = csrf;
    this._keep = keep;
    this._onChange = onChange;
    this._id = begun?.id ?? null;
    this._mustAsk = Boolean(begun);
    this._partBytes = FIRST_PART_BYTES;
    this._largest = FIRST_PART_BYTES;
    this._attempt = 0;
    this._abort = new AbortController();
    this._wake = () => {};
  }

  /** Send, or go on after a pause. */
  start() {
    if (!["waiting", "paused"].includes(this.state)) return;
    if (!this.size) return this._become("refused", EMPTY);
    this._abort = new AbortController();
    this._mustAsk = this._id !== null;
    this._attempt = 0;
    this._become("sending");
    this._run(this._abort.signal);
  }

  pause() {
    if (!["sending", "torn"].includes(this.state)) return;
    this._become("paused");
    this._abort.abort();
  }

  /** Try at once: the network is back. */
  hurry() {
    this._wake();
  }

  /** Give it up, here and on the server; a server that cannot be reached gives it up by itself after a day. */
  cancel() {
    if (["done", "refused", "cancelled"].includes(this.state)) return;
    this._become("cancelled");
    this._abort.abort();
    this._letGo();
  }

  /** What is not finished counts among those that the server takes of a user at once. */
  async _letGo() {
    if (this._id === null) return;
    this.isLeaving = true;
    await fetch(`${this._address}${this._id}/`, this._asked("DELETE")).catch(() => {});
    this.isLeaving = false;
    this._onChange(this);
  }

  async _run(signal) {
    while (!signal.aborted && ["sending", "torn", "checking"].includes(this.state)) {
      try {
        await this._step(signal);
        this._attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LoggedOut) return this._become("paused", NOT_LOGGED_IN);
        if (!(error instanceof Torn)) return this._refuse(error);
        await this._waitForTheLine(signal);
      }
    }
  }

  _refuse(error) {
    this._letGo();
    this._become("refused", error instanceof Refusal ? error.message : REFUSED);
  }

  async _step(signal) {
    if (this._id === null) return this._announce(signal);
    if (this._mustAsk || this.state === "checking") return this._ask(signal);
    return this._sendPart(signal);
  }

  async _announce(signal) {
    const about = { name: this.name, size_bytes: this.size, modified_ms: this._file.lastModified, keep: this._keep };
    const body = JSON.stringify(about);
    const facts = await this._send(this._address, { ...this._asked("POST", { "Content-Type": "application/json" }), body }, signal);
    this._id = facts.id;
    this._learn(facts);
  }

  async _ask(signal) {
    if (this.state === "checking") await this._sleep(CHECK_EVERY_MS, signal);
    const facts = await this._send(`${this._address}${this._id}/`, this._asked("GET"), signal);
    this._mustAsk = false;
    if (facts) this._learn(facts);
  }

  async _sendPart(signal) {
    const [first, end] = nextPart(this.received, this.size, this._partBytes);
    const body = this._file.slice(first, end);
    const said = { "Content-Range": `bytes ${first}-${end - 1}/${this.size}`, "Content-Type": "application/octet-stream" };
    const began = performance.now();
    const facts = await this._send(`${this._address}${this._id}/`, { ...this._asked("PUT", said), body }, signal);
    if (!facts) return;
    const ms = performance.now() - began;
    this._partBytes = partBytesAfter(this._partBytes, end - first, ms, this._largest);
    const pace = ((end - first) / Math.max(1, ms)) * 1000;
    this.bytesPerS = this.bytesPerS ? 0.7 * this.bytesPerS + 0.3 * pace : pace;
    this._learn(facts);
  }

  _learn({ received_bytes: received, chunk_bytes: largest, state, recording, error }) {
    this.received = received;
    this._largest = largest ?? this._largest;
    if (state === "done") {
      this.recording = recording;
      this._become("done", recording.note);
    } else if (state === "refused") {
      this._become("refused", error?.text ?? REFUSED);
    } else {
      this._become(state === "checking" ? "checking" : "sending");
    }
  }

  /**
   * @returns {Promise<object | null>}  what the server says; null when it is to be asked, or told anew
   * @throws {Torn | LoggedOut | Refusal}
   */
  async _send(address, options, signal) {
    const either = AbortSignal.any([signal, AbortSignal.timeout(NO_ANSWER_MS)]);
    const answer = await fetch(address, { ...options, signal: either }).catch(() => {
      throw new Torn();
    });
    const body = await answer.json().catch(() => null);
    switch (meaningOf(answer.status, body?.error?.code ?? "")) {
      case "taken":
        if (!body) throw new Torn();
        return body;
      case "ask":
        this._mustAsk = true;
        return null;
      case "anew":
        this._id = null;
        this.received = 0;
        return null;
      case "later":
        throw new Torn();
      case "log_in":
        throw new LoggedOut();
      default:
        throw new Refusal(body?.error?.text ?? REFUSED);
    }
  }

  async _waitForTheLine(signal) {
    this._partBytes = partBytesAfterTear(this._partBytes);
    this._mustAsk = this._id !== null;
    this._attempt += 1;
    if (this.state === "sending") this._become("torn");
    await this._sleep(retryDelayMs(this._attempt + 1, Math.random()), signal);
  }

  _sleep(ms, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this._wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener("abort", this._wake, { once: true });
    });
  }

  _asked(method, more = {}) {
    return { method, headers: { "X-CSRFToken": this._csrf, Accept: "application/json", ...more } };
  }

  _become(state, text = "") {
    this.state = state;
    this.text = text;
    this._onChange(this);
  }
}
