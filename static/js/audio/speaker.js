/**
 * The loudspeaker: plays PCM16 at 24 kHz as it comes, and falls silent at once when told to.
 *
 * @typedef {object} PlaybackReport
 * @property {boolean} playing
 * @property {number} playedMs  in all
 * @property {number} queuedMs
 * @property {number} droppedMs  did not fit the queue, in all
 * @property {number} underruns
 * @property {number} level  highest sample that went to the destination just now, 0 to 1
 */

export class Speaker {
  /**
   * @param {object} options
   * @param {(report: PlaybackReport) => void} options.onReport
   */
  constructor({ onReport }) {
    this._onReport = onReport;
    this._node = null;
    this._analyser = null;
    this._window = null;
    this._hushed = false;
    this._silent = false;
    this.playing = false;
  }

  /**
   * Connects to the destination. What is played before this is not heard.
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
    this._node.connect(this._analyser).connect(context.destination);
    this._node.port.onmessage = ({ data }) => this._reported(data);
  }

  /** @param {Int16Array} pcm */
  play(pcm) {
    if (this._hushed || this._silent) return;
    this._node?.port.postMessage({ pcm }, [pcm.buffer]);
  }

  /** Drops what was not heard yet. */
  flush() {
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

  /** @param {boolean} silent  replies are not heard at all */
  setSilent(silent) {
    this._silent = silent;
    if (silent) this.flush();
  }

  /** Disconnects. May be called twice. */
  stop() {
    this.flush();
    this._node?.disconnect();
    this._analyser?.disconnect();
    if (this._node) this._node.port.onmessage = null;
    this._node = this._analyser = null;
    this.playing = false;
  }

  _reported(report) {
    this.playing = report.playing;
    this._analyser.getFloatTimeDomainData(this._window);
    const level = this._window.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
    this._onReport({ ...report, level: report.playing ? level : 0 });
  }
}
