/**
 * The audio that waits to be heard: a jitter buffer in front of the loudspeaker. Pure: it counts samples and knows
 * no clock, so the worklet drives it by render quanta.
 *
 * The provider sends a reply faster than it is spoken, so the queue is long by design: nothing is skipped to catch up.
 */

import { PLAYBACK_RATE_HZ } from "./pcm.js";

/** What is held back on a link that is too slow for speech: so much at first, and more each time that it was not enough. */
const FIRST_HELD_SAMPLES = PLAYBACK_RATE_HZ;
const MOST_HELD_SAMPLES = 4 * PLAYBACK_RATE_HZ;
/** What is held back is heard after so long in any case: the rest of it may never come. */
const LONGEST_WAIT_SAMPLES = 10 * PLAYBACK_RATE_HZ;

export class PlaybackQueue {
  /**
   * @param {object} limits
   * @param {number} limits.prebufferSamples  heard only once this much is there, so that a late chunk leaves no hole
   * @param {number} limits.patienceSamples  a reply shorter than the prebuffer starts after this much waiting
   * @param {number} limits.longestSamples  bound of the queue; what comes beyond it is dropped and counted
   */
  constructor({ prebufferSamples, patienceSamples, longestSamples }) {
    this._prebufferSamples = prebufferSamples;
    this._patienceSamples = patienceSamples;
    this._longestSamples = longestSamples;
    /** @type {{samples: Int16Array, number: number}[]} */
    this._chunks = [];
    /** @type {{number: number, samples: number} | null} */
    this._heard = null;
    this._offset = 0;
    this._playing = false;
    this._waited = 0;
    /** Whether more of the present reply is to come, and how much is gathered meanwhile before it goes on. */
    this._expectsMore = false;
    this._heldSamples = 0;
    this._hasStarved = false;
    this.queuedSamples = 0;
    this.playedSamples = 0;
    this.droppedSamples = 0;
    this.underruns = 0;
  }

  /** True while samples are being handed out. */
  get playing() {
    return this._playing;
  }

  /** True while sound is there and held back, because it comes more slowly than it is spoken. */
  get isHeldBack() {
    return !this._playing && this._expectsMore && this._heldSamples > 0;
  }

  /** The chunk that was handed out last, and how many samples of it were; null before the first. */
  get heard() {
    return this._heard;
  }

  /**
   * @param {Int16Array} samples
   * @param {number} number  of the chunk
   */
  push(samples, number) {
    if (this.queuedSamples + samples.length > this._longestSamples) {
      this.droppedSamples += samples.length;
      return;
    }
    this._chunks.push({ samples, number });
    this.queuedSamples += samples.length;
  }

  /**
   * Sound that comes more slowly than it is spoken is heard in longer pieces with longer pauses, instead of torn. A reply that came
   * fast enough ends that.
   *
   * @param {boolean} expected  more of the present reply is to come
   */
  expectMore(expected) {
    if (expected === this._expectsMore) return;
    this._expectsMore = expected;
    if (!expected && !this._hasStarved) this._heldSamples = 0;
    this._hasStarved = false;
  }

  /** Drops everything that was not heard yet. */
  flush() {
    this._chunks.length = 0;
    this._offset = 0;
    this.queuedSamples = 0;
    this._playing = false;
    this._waited = 0;
  }

  /**
   * Fills `output[0..count)` with samples between -1 and 1, or with silence while there is nothing to play.
   *
   * @param {Float32Array} output
   * @param {number} count
   */
  pull(output, count) {
    this._maybeStart(count);
    let written = 0;
    if (this._playing) {
      written = this._copy(output, count);
      this.playedSamples += written;
      if (written < count) this._runDry();
    }
    output.fill(0, written, count);
  }

  _maybeStart(count) {
    if (this._playing || this.queuedSamples === 0) return;
    this._waited += count;
    const enough = this.queuedSamples >= (this.isHeldBack ? this._heldSamples : this._prebufferSamples);
    const patience = this.isHeldBack ? LONGEST_WAIT_SAMPLES : this._patienceSamples;
    this._playing = enough || this._waited >= patience;
  }

  _copy(output, count) {
    let written = 0;
    while (written < count && this._chunks.length > 0) {
      const { samples, number } = this._chunks[0];
      const take = Math.min(count - written, samples.length - this._offset);
      for (let i = 0; i < take; i++) output[written + i] = samples[this._offset + i] / 0x8000;
      written += take;
      this._offset += take;
      this._heard = { number, samples: this._offset };
      if (this._offset === samples.length) {
        this._chunks.shift();
        this._offset = 0;
      }
    }
    this.queuedSamples -= written;
    return written;
  }

  _runDry() {
    this._playing = false;
    this._waited = 0;
    this.underruns += 1;
    if (!this._expectsMore) return;
    this._hasStarved = true;
    this._heldSamples = Math.min(MOST_HELD_SAMPLES, Math.max(FIRST_HELD_SAMPLES, 2 * this._heldSamples));
  }
}
