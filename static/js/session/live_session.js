/**
 * The page's side of one conversation: the connection, what waits to be acknowledged, and what is known. Pages talk to this
 * and to nothing below it.
 */

import { decodeFrame, encodeFrame, FRAME_MS } from "../audio/pcm.js";
import { uuid } from "../helpers/uuid.js";
import { LiveSocket } from "./live_socket.js";
import * as messages from "./messages.js";
import { Attaching, AudioOutbox, TextOutbox } from "./outbox.js";
import { Pace } from "./pace.js";
import { LIMIT, PAGE_MESSAGE, SERVER_MESSAGE } from "./protocol.js";
import { AUDIO_REFUSED, INITIAL, reduce, waitingFor } from "./session_state.js";

const PUMP_MS = 40;
/** Staying below what the server takes leaves room for its measuring. */
const FRAMES_PER_SECOND = (0.8 * LIMIT.AUDIO_SPEED * 1000) / FRAME_MS;
const BURST_FRAMES = 25;
/** Typed messages share what the server takes with all others. */
const TYPED_PER_SECOND = 0.4 * LIMIT.MESSAGES_PER_S;
/** After so long the server takes three seconds of audio at once again. */
const AFTER_REFUSAL_MS = 1000;
const HANG_UP_TIMEOUT_MS = 2000;
/** After so long without an answer the page offers to ask for earlier turns again. */
const EARLIER_TIMEOUT_MS = 10000;
/** While audio is being lost, this much more is worth saying again. */
const LOSS_STEP_MS = 5000;

export class LiveSession {
  /**
   * @param {object} options
   * @param {string} options.url  of the WebSocket
   * @param {string | null} [options.continues]  the id of a conversation that this page begins with
   * @param {string | null} [options.reopens]  the id of the text chat that this page goes on in
   * @param {string | null} [options.takes]  the ticket of a link that takes the conversation of another page over
   * @param {(state: import("./session_state.js").SessionState) => void} options.onChange
   * @param {(message: {type: string}) => void} options.onMessage  each message of the server, after the change it made
   * @param {(pcm: Int16Array, number: number) => void} options.onAudio  24 kHz, and the number of the frame
   * @param {(lostMs: number) => void} options.onAudioLost  what the page itself could not keep, in all
   */
  constructor({ url, continues = null, reopens = null, takes = null, onChange, onMessage, onAudio, onAudioLost }) {
    this._onChange = onChange;
    this._onMessage = onMessage;
    this._onAudio = onAudio;
    this._onAudioLost = onAudioLost;
    /** In memory only: a page that is loaded again is another page. */
    this._pageId = uuid();
    this._lastDown = -1;
    this._fresh = false;
    /** Until the server has taken the page in: from then on the page has a conversation of its own. */
    this._continues = continues;
    /** The same. */
    this._reopens = reopens;
    /** The same. */
    this._takes = takes;
    /** The same. */
    this._goesOnFrom = null;
    this._isReleasing = false;
    this._hasReleased = false;
    this._lastHeard = -1;
    this._audio = new AudioOutbox();
    this._typed = new TextOutbox();
    this._attaching = new Attaching();
    this._audioPace = new Pace(BURST_FRAMES, FRAMES_PER_SECOND);
    this._audioHeldUntil = 0;
    this._typedPace = new Pace(TYPED_PER_SECOND, TYPED_PER_SECOND);
    /** Whether the microphone is open, and what the server was told; null: there is none, or nothing was told yet. */
    this._micOn = null;
    this._micTold = null;
    /** Whether replies are played, and what the server was told: that they are, until it is told otherwise. */
    this._soundOn = true;
    this._soundTold = true;
    this._toldLostMs = 0;
    this._pumpTimer = null;
    this._hangUpTimer = null;
    this._earlierTimer = null;
    this.state = INITIAL;
    this._socket = new LiveSocket({
      url,
      hello: (awayMs) =>
        messages.start({
          awayMs: this.state.conversation === null ? 0 : awayMs,
          pageId: this._pageId,
          lastDown: this._lastDown,
          fresh: this._fresh,
          continues: this._continues,
          reopens: this._reopens,
          takes: this._takes,
          goesOnFrom: this._goesOnFrom,
          recordings: this._attaching.name(),
        }),
      onMessage: (message) => this._received(message),
      onFrame: (frame) => this._heard(frame),
      onLink: (change) => this._linkChanged(change),
    });
  }

  /**
   * @param {{fresh?: boolean, goesOnFrom?: string | null, continues?: string | null}} [options]  fresh: never continue
   *   what this page had before; goesOnFrom: the id of an earlier call that a new one begins with; continues: of a
   *   conversation that goes on
   */
  open({ fresh = false, goesOnFrom = null, continues = null } = {}) {
    if (this._hangUpTimer !== null) this._end();
    this._fresh = fresh;
    this._goesOnFrom = goesOnFrom;
    this._hasReleased = false;
    if (fresh) this._takes = this._continues = null;
    this._continues = continues ?? this._continues;
    if (fresh) this._apply({ type: "cleared" });
    this._socket.open();
  }

  /** Whether another device has taken the conversation over: it is opened here again with a ticket. */
  get hasReleased() {
    return this._hasReleased;
  }

  /** @param {string} ticket  with which the conversation is opened next */
  takeWith(ticket) {
    this._takes = ticket;
  }

  /** @param {Int16Array} pcm  one frame from the microphone */
  speak(pcm) {
    if (this._isInFirstLine() || this._isReleasing) return;
    this._audio.push(pcm);
    this._pump();
  }

  /** A wait in line may be long: what a room hears meanwhile is not meant for a call that has not begun. */
  _isInFirstLine() {
    return this.state.conversation === null && waitingFor(this.state) === "place";
  }

  /**
   * @param {string} text
   * @param {string[]} [recordings]  ids of those that it asks about
   * @param {number | null} [replaces]  the number of the question in whose place it is asked
   */
  type(text, recordings = [], replaces = null) {
    const id = uuid();
    if (this.state.phase !== "stopped") this._typed.push(id, text, recordings, replaces);
    this._apply({ type: "typed", id, text, recordings, replaces });
    this._pump();
  }

  /** @param {string} id  of a recording that is to be part of this conversation, or of the one that is opened next */
  attach(id) {
    this._attaching.push(id);
    this._pump();
  }

  /** @param {string} id  of one that was to be attached, and is not yet */
  attachNot(id) {
    this._attaching.settle([id]);
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    this._micOn = on;
    this._pump();
  }

  /** @param {boolean} on  replies are played; else they are only read, and over when all of their words are there */
  setSound(on) {
    this._soundOn = on;
    this._apply({ type: PAGE_MESSAGE.SOUND, on });
    this._pump();
  }

  /** @param {{number: number, ms: number}} heard  the frame that was played last, and how much of it */
  tellHeard({ number, ms }) {
    this._lastHeard = number;
    if (this.state.ready) this._socket.send(messages.heard(number, ms));
  }

  /** Stops the reply that is being given. */
  stopReply() {
    this._socket.send(messages.stop());
  }

  /** Starts anew, without memory. */
  reset() {
    this._audio.forget();
    this._typed.forget();
    this._apply({ type: "cleared" });
    this._socket.send(messages.reset());
  }

  /**
   * Asks for the turns before those that are known, if there are any and nobody has asked.
   *
   * @param {{ again: boolean }} wish  `again`: also after a failure, which what is shown may not tell yet
   */
  loadEarlier({ again }) {
    if (this.state.earlier !== "some" && !(again && this.state.earlier === "failed")) return;
    this._apply({ type: "earlier_asked" });
    this._askForEarlier();
  }

  /** Without a connection the question waits for the next one. */
  _askForEarlier() {
    clearTimeout(this._earlierTimer);
    this._earlierTimer = setTimeout(() => this._apply({ type: "earlier_missed" }), EARLIER_TIMEOUT_MS);
    this._socket.send(messages.older(this.state.turns[0].turn));
  }

  /** Tries now: the page's own connection if that is what is missing, else the server's. */
  retry() {
    if (this._socket.isOpen) this._socket.send(messages.retry());
    else this._socket.retryNow();
  }

  /** The conversation that another page took over is not open there any more. */
  overElsewhere() {
    this._apply({ type: "over_elsewhere" });
  }

  /** Opens the conversation here again after another page took it over. */
  takeBack() {
    this._socket.open();
  }

  hangUp() {
    if (!this._socket.send(messages.hangup())) {
      this._end();
      return;
    }
    this._hangUpTimer = setTimeout(() => this._end(), HANG_UP_TIMEOUT_MS);
  }

  _end() {
    this._socket.close();
    this._linkChanged({ link: "closed", attempt: 0, action: "end", text: "" });
  }

  _received(message) {
    const takesIn = message.type === SERVER_MESSAGE.READY && !this.state.ready;
    if (takesIn) this._takenIn(message);
    if (message.type === SERVER_MESSAGE.ACK) this._acknowledged(message);
    if (message.type === SERVER_MESSAGE.LOST) this._typed.settle(message.ids ?? []);
    if (message.type === SERVER_MESSAGE.ERROR) this._refused(message);
    if (message.type === SERVER_MESSAGE.RECORDINGS) this._attaching.settle(message.recordings.map(({ id }) => id));
    if (message.type === SERVER_MESSAGE.RELEASE) this._isReleasing = true;
    this._apply(message);
    if (takesIn && this.state.earlier === "loading") this._askForEarlier();
    this._onMessage(message);
    this._pump();
  }

  /** The first `ready` of a connection says where the server stands. */
  _takenIn({ ack, next }) {
    if (this._takes !== null) this._audio.startAt(next);
    this._fresh = false;
    this._continues = null;
    this._reopens = null;
    this._takes = null;
    this._goesOnFrom = null;
    this._audio.rewind(ack ?? 0);
    this._typed.rewind();
    this._attaching.rewind();
    this._micTold = null;
    this._soundTold = true;
    this._tellLost(1);
  }

  _acknowledged({ audio, ids }) {
    if (Number.isInteger(audio)) this._audio.ack(audio);
    this._typed.settle(ids ?? []);
  }

  _refused({ id, code, audio, recording }) {
    if (id) this._typed.settle([id]);
    if (recording) this._attaching.settle([recording]);
    if (code !== AUDIO_REFUSED || !Number.isInteger(audio)) return;
    this._audio.rewind(audio);
    this._audioHeldUntil = performance.now() + AFTER_REFUSAL_MS;
  }

  _heard(data) {
    const frame = decodeFrame(data);
    // Audio that is sent again after a reconnection may overlap with what is already here.
    if (!frame || frame.number <= this._lastDown) return;
    this._lastDown = frame.number;
    this._onAudio(frame.pcm, frame.number);
  }

  _linkChanged(change) {
    if (change.link === "closed") this._closed();
    this._apply({ type: "link", ...change });
    this._onMessage({ type: "link", ...change });
    if (change.link === "heard") this._pump();
  }

  _closed() {
    clearTimeout(this._hangUpTimer);
    this._hangUpTimer = null;
    this._hasReleased = this._isReleasing;
    this._isReleasing = false;
    this._audio.forget();
    this._typed.forget();
    this._toldLostMs = 0;
  }

  _apply(message) {
    this.state = reduce(this.state, message, performance.now());
    this._onChange(this.state);
  }

  /** Sends what may be sent now, and comes back for the rest. */
  _pump() {
    this._tellLost(LOSS_STEP_MS);
    if (!this.state.ready || !this._socket.isOpen) return;
    this._tellSound();
    this._sendAttached();
    this._sendTyped();
    this._sendAudio();
    const waiting = this._audio.unsent + this._typed.unsent > 0;
    if (this._isReleasing && !waiting) this._socket.send(messages.released(this._lastHeard));
    clearTimeout(this._pumpTimer);
    if (waiting) this._pumpTimer = setTimeout(() => this._pump(), PUMP_MS);
  }

  /** Few, and before what is typed about them. */
  _sendAttached() {
    for (let id = this._attaching.take(); id !== null; id = this._attaching.take()) this._socket.send(messages.attach(id));
  }

  _sendTyped() {
    while (this._typed.unsent > 0 && this._typedPace.take(performance.now())) {
      const { id, text, recordings, replaces } = this._typed.take();
      this._socket.send(messages.text(id, text, recordings, replaces));
      this._apply({ type: "typed_sent", id });
    }
  }

  /** The microphone's state keeps its place among the frames: "off" comes after the last word. */
  _sendAudio() {
    if (this._micOn) this._tellMicrophone();
    if (performance.now() < this._audioHeldUntil) return;
    while (this._audio.unsent > 0 && this._socket.hasRoom && this._audioPace.take(performance.now())) {
      const { number, pcm } = this._audio.take();
      this._socket.send(encodeFrame(number, pcm));
    }
    if (this._audio.unsent === 0 && !this._isReleasing) this._tellMicrophone();
  }

  _tellMicrophone() {
    if (this._micTold === this._micOn) return;
    this._micTold = this._micOn;
    this._socket.send(messages.mic(this._micOn));
  }

  _tellSound() {
    if (this._soundTold === this._soundOn) return;
    this._soundTold = this._soundOn;
    this._socket.send(messages.sound(this._soundOn));
  }

  /** @param {number} stepMs  how much more must be lost before it is said again */
  _tellLost(stepMs) {
    if (this._audio.lostMs < this._toldLostMs + (this._toldLostMs ? stepMs : 1)) return;
    this._toldLostMs = this._audio.lostMs;
    this._onAudioLost(this._audio.lostMs);
  }
}
