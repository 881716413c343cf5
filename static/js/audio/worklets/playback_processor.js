/**
 * Plays PCM16 at 24 kHz through a context of any rate, from a jitter buffer that can be emptied at once.
 *
 * Takes `{pcm: Int16Array, number}`, `{flush: true}` and `{more: boolean}`: more of the present reply is to come. Posts a report about 25 times a second while there is something to
 * say: `{playing, heldBack, playedMs, queuedMs, droppedMs, underruns, heard}`, `heard` being `{number, ms}` or null.
 */

import { LONGEST_QUEUED_SAMPLES, PLAYBACK_RATE_HZ } from "../pcm.js";
import { PlaybackQueue } from "../playback_queue.js";
import { Resampler } from "../resampler.js";

const QUANTUM = 128;
const PREBUFFER_MS = 100;
const PATIENCE_MS = 160;
const REPORT_MS = 40;

const samples = (ms) => Math.round((ms * PLAYBACK_RATE_HZ) / 1000);
const milliseconds = (count) => Math.round((count * 1000) / PLAYBACK_RATE_HZ);

class PlaybackProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this._queue = new PlaybackQueue({
      prebufferSamples: samples(PREBUFFER_MS),
      patienceSamples: samples(PATIENCE_MS),
      longestSamples: LONGEST_QUEUED_SAMPLES,
    });
    const longestInput = Math.ceil((QUANTUM * PLAYBACK_RATE_HZ) / sampleRate) + 64;
    this._resampler = new Resampler(PLAYBACK_RATE_HZ, sampleRate, longestInput);
    this._input = new Float32Array(longestInput);
    this._quantum = new Float32Array(QUANTUM);
    this._lastSample = 0;
    this._fading = false;
    this._sinceReport = 0;
    this._wasPlaying = false;
    this._wasHeldBack = false;
    this.port.onmessage = ({ data }) => this._take(data);
  }

  _take(message) {
    if (message.flush) {
      this._queue.flush();
      this._resampler.reset();
      this._fading = true;
    } else if (message.more !== undefined) {
      this._queue.expectMore(message.more);
    } else {
      this._queue.push(message.pcm, message.number);
    }
  }

  process(_inputs, outputs) {
    const channels = outputs[0];
    const length = channels[0].length;
    for (let start = 0; start < length; start += QUANTUM) {
      if (this._fading) this._fadeOut();
      else this._render();
      const end = Math.min(QUANTUM, length - start);
      for (const channel of channels) for (let i = 0; i < end; i++) channel[start + i] = this._quantum[i];
    }
    this._report(length);
    return true;
  }

  _render() {
    const count = Math.min(this._resampler.inputNeeded(QUANTUM), this._input.length);
    this._queue.pull(this._input, count);
    this._resampler.process(this._input, count, this._quantum);
    this._lastSample = this._quantum[QUANTUM - 1];
  }

  /** Silence after a flush, reached over one quantum (under 3 ms): a hard cut would click. */
  _fadeOut() {
    for (let i = 0; i < QUANTUM; i++) this._quantum[i] = this._lastSample * (1 - (i + 1) / QUANTUM);
    this._lastSample = 0;
    this._fading = false;
  }

  _report(rendered) {
    const { playing, isHeldBack } = this._queue;
    this._sinceReport += rendered;
    const due = playing && this._sinceReport >= (REPORT_MS * sampleRate) / 1000;
    if (!due && playing === this._wasPlaying && isHeldBack === this._wasHeldBack) return;
    this._sinceReport = 0;
    this._wasPlaying = playing;
    this._wasHeldBack = isHeldBack;
    const { heard } = this._queue;
    this.port.postMessage({
      playing,
      heldBack: isHeldBack,
      heard: heard && { number: heard.number, ms: milliseconds(heard.samples) },
      playedMs: milliseconds(this._queue.playedSamples),
      queuedMs: milliseconds(this._queue.queuedSamples),
      droppedMs: milliseconds(this._queue.droppedSamples),
      underruns: this._queue.underruns,
    });
  }
}

registerProcessor("holdline-playback", PlaybackProcessor);
