/**
 * Turns the microphone's samples, at whatever rate the device has, into PCM16 at 16 kHz, 40 ms a frame.
 *
 * Posts `{pcm: Int16Array, level: number}`; `level` is the root mean square of the frame, 0 to 1.
 * Takes `{muted: boolean}`: while muted nothing is posted and a frame that was begun is thrown away.
 */

import { CAPTURE_RATE_HZ, FRAME_SAMPLES, toPcm16 } from "../pcm.js";
import { Resampler } from "../resampler.js";

/** The Web Audio render quantum today; browsers may hand over another size, which is taken in pieces. */
const QUANTUM = 128;

class CaptureProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this._resampler = new Resampler(sampleRate, CAPTURE_RATE_HZ, QUANTUM);
    this._resampled = new Float32Array(Math.ceil((QUANTUM * CAPTURE_RATE_HZ) / sampleRate) + 2);
    this._frame = new Int16Array(FRAME_SAMPLES);
    this._filled = 0;
    this._energy = 0;
    this._muted = false;
    this.port.onmessage = ({ data }) => this._setMuted(data.muted);
  }

  _setMuted(muted) {
    this._muted = muted;
    this._filled = 0;
    this._energy = 0;
    this._resampler.reset();
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (!channel || this._muted) return true;
    for (let start = 0; start < channel.length; start += QUANTUM) {
      const piece = channel.length === QUANTUM ? channel : channel.subarray(start, start + QUANTUM);
      const count = this._resampler.process(piece, piece.length, this._resampled);
      for (let i = 0; i < count; i++) this._append(this._resampled[i]);
    }
    return true;
  }

  _append(sample) {
    this._frame[this._filled++] = toPcm16(sample);
    this._energy += sample * sample;
    if (this._filled < FRAME_SAMPLES) return;
    // Posted without a transfer list: the message is a copy and the frame is used again.
    this.port.postMessage({ pcm: this._frame, level: Math.sqrt(this._energy / FRAME_SAMPLES) });
    this._filled = 0;
    this._energy = 0;
  }
}

registerProcessor("holdline-capture", CaptureProcessor);
