/**
 * The audio that waits to be heard: a jitter buffer in front of the loudspeaker. Pure: it counts samples and knows
 * no clock, so the worklet drives it by render quanta.
 *
 * The provider sends a reply faster than it is spoken, so the queue is long by design: nothing is skipped to catch up.
 */

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
    this.queuedSamples = 0;
    this.playedSamples = 0;
    this.droppedSamples = 0;
    this.underruns = 0;
  }

  /** True while samples are being handed out. */
  get playing() {
    return this._playing;
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
    const enough = this.queuedSamples >= this._prebufferSamples;
    this._playing = enough || this._waited >= this._patienceSamples;
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
  }
}
