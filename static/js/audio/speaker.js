/**
 * The loudspeaker: plays PCM16 at 24 kHz as it comes, and falls silent at once when told to.
 *
 * @typedef {object} PlaybackReport
 * @property {boolean} playing
 * @property {boolean} heldBack  sound comes more slowly than it is spoken, and is gathered before it goes on
 * @property {number} playedMs  in all
 * @property {number} queuedMs
 * @property {number} droppedMs  did not fit the queue, in all
 * @property {number} underruns
 * @property {{number: number, ms: number} | null} heard  the frame that was played last, and how much of it
 * @property {number} latencyMs  from there to the ear, as far as the browser knows
 * @property {number} level  highest sample that went to the destination just now, 0 to 1
 */

import { Output } from "./output.js";
import { LONGEST_QUEUED_SAMPLES } from "./pcm.js";

/** While something plays, it is told so often how far it has come; and always when it stops. */
const TELL_HEARD_MS = 1000;
/** A volume is reached in about three times this: a step would click. */
const VOLUME_S = 0.01;

export class Speaker {
  /**
   * @param {object} options
   * @param {(report: PlaybackReport) => void} options.onReport
   * @param {(heard: {number: number, ms: number}) => void} options.onHeard  how far the frames were played
   */
  constructor({ onReport, onHeard }) {
    this._onReport = onReport;
    this._onHeard = onHeard;
    this._heardToldAt = 0;
    /** @type {{number: number, ms: number} | null} */
    this._heard = null;
    this._volume = 1;
    this._node = null;
    this._gain = null;
    this._output = null;
    this._analyser = null;
    this._window = null;
    this._hushed = false;
    this._silent = false;
    this._expectsMore = false;
    /** @type {{pcm: Int16Array, number: number}[] | null} */
    this._waiting = null;
    this._waitingSamples = 0;
    this.playing = false;
  }

  /** Keeps what is played from now on until `start`, for an answer may come before the worklet is loaded. */
  expect() {
    this._waiting = [];
    this._waitingSamples = 0;
  }

  /**
   * Connects to the destination. What is played before this is not heard, unless it was expected.
   *
   * @param {AudioContext} context  with the playback worklet in it
   */
  start(context) {
    this._hushed = false;
    this._node = new AudioWorkletNode(context, "holdline-playback", {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [1],
    });
    this._analyser = new AnalyserNode(context, { fftSize: 2048 });
    this._window = new Float32Array(this._analyser.fftSize);
    this._gain = new GainNode(context, { gain: this._volume ** 2 });
    this._node.connect(this._gain).connect(this._analyser);
    this._output = new Output(this._analyser);
    this._node.port.onmessage = ({ data }) => this._reported(data);
    this._node.port.postMessage({ more: this._expectsMore });
    for (const { pcm, number } of this._waiting ?? []) this._send(pcm, number);
    this._waiting = null;
  }

  /**
   * @param {Int16Array} pcm
   * @param {number} number  of the frame
   */
  play(pcm, number) {
    if (this._hushed || this._silent) return;
    if (this._node) this._send(pcm, number);
    else if (this._waiting) this._keep(pcm, number);
  }

  /** @param {boolean} expected  more of the present reply is to come */
  expectMore(expected) {
    if (expected === this._expectsMore) return;
    this._expectsMore = expected;
    this._node?.port.postMessage({ more: expected });
  }

  /** Drops what was not heard yet. */
  flush() {
    if (this._waiting) this.expect();
    this._node?.port.postMessage({ flush: true });
  }

  /** Drops the present reply, with what is still on its way, until `listen` is called. */
  hush() {
    this._hushed = true;
    this.flush();
  }

  /** Ends a `hush`. */
  listen() {
    this._hushed = false;
  }

  /** @param {number} volume  0 to 1, as it is felt: half of it is a quarter of the amplitude */
  setVolume(volume) {
    this._volume = volume;
    this._gain?.gain.setTargetAtTime(volume ** 2, this._gain.context.currentTime, VOLUME_S);
  }

  /**
   * @param {string} id  of the device; empty for the system's
   * @returns {Promise<boolean>}  whether it is heard there
   */
  async choose(id) {
    return (await this._output?.choose(id)) ?? true;
  }

  /** @param {boolean} silent  replies are not heard at all */
  setSilent(silent) {
    this._silent = silent;
    if (silent) this.flush();
  }

  /** Disconnects. May be called twice. The worklet says nothing after this, so what it said last is told now. */
  stop() {
    if (this.playing) this._tellHeard();
    this.flush();
    this._node?.disconnect();
    this._gain?.disconnect();
    this._output?.stop();
    if (this._node) this._node.port.onmessage = null;
    this._node = this._gain = this._output = this._analyser = this._waiting = null;
    this.playing = false;
  }

  _send(pcm, number) {
    this._node.port.postMessage({ pcm, number }, [pcm.buffer]);
  }

  _keep(pcm, number) {
    if (this._waitingSamples + pcm.length > LONGEST_QUEUED_SAMPLES) return;
    this._waiting.push({ pcm, number });
    this._waitingSamples += pcm.length;
  }

  _reported(report) {
    const hasStopped = this.playing && !report.playing;
    this.playing = report.playing;
    this._heard = report.heard;
    if (hasStopped || performance.now() - this._heardToldAt >= TELL_HEARD_MS) this._tellHeard();
    this._analyser.getFloatTimeDomainData(this._window);
    const level = this._window.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
    const latencyMs = Math.round((this._node.context.outputLatency || 0) * 1000);
    this._onReport({ ...report, latencyMs, level: report.playing ? level : 0 });
  }

  _tellHeard() {
    if (!this._heard) return;
    this._heardToldAt = performance.now();
    this._onHeard(this._heard);
  }
}
