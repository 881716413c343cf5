/**
 * Changes the rate of a stream of samples with a windowed-sinc filter, one polyphase branch per output position.
 * Pure, and without allocation after construction, so that an audio worklet can call it in `process()`.
 */

/** Zero crossings of the sinc on each side, counted at the lower of the two rates. */
const ZERO_CROSSINGS = 24;
/** Part of the lower rate's band that passes; the rest is the filter's slope, which keeps aliases out. */
const PASS_BAND = 0.92;
/** Shape of the Kaiser window: 8 puts the stop band about 80 dB down. */
const KAISER_BETA = 8;

export class Resampler {
  /**
   * @param {number} fromHz  rate of the input, a positive integer
   * @param {number} toHz  rate of the output, a positive integer
   * @param {number} [longestInput]  the most samples one call of `process` brings
   */
  constructor(fromHz, toHz, longestInput = 1024) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    /** Positions between two input samples that an output sample can fall on. */
    this._phases = toHz / divisor;
    this._step = fromHz / divisor;
    const scale = Math.min(1, toHz / fromHz);
    this._halfTaps = Math.ceil(ZERO_CROSSINGS / scale);
    this._taps = 2 * this._halfTaps;
    this._table = filterTable(this._phases, this._halfTaps, scale);
    this._history = new Float32Array(this._taps + longestInput + Math.ceil(this._step / this._phases) + 1);
    this.reset();
  }

  /** Forgets the stream: what follows is unrelated to what came before. */
  reset() {
    this._history.fill(0);
    /** Samples in the history; starting with half a filter of silence keeps the first sample in time. */
    this._filled = this._halfTaps - 1;
    this._start = 0;
    this._phase = 0;
  }

  /**
   * @param {number} outputSamples
   * @returns {number}  how many input samples `process` needs to give that many
   */
  inputNeeded(outputSamples) {
    if (outputSamples === 0) return 0;
    const lastAdvance = Math.floor((this._phase + (outputSamples - 1) * this._step) / this._phases);
    return Math.max(0, this._start + lastAdvance + this._taps - this._filled);
  }

  /**
   * Takes in `count` samples and writes every output sample they complete.
   *
   * @param {Float32Array} input
   * @param {number} count  samples of `input` to take, at most `longestInput`
   * @param {Float32Array} output  long enough for what comes out: `count * toHz / fromHz`, rounded up, plus one
   * @returns {number}  samples written
   */
  process(input, count, output) {
    const history = this._history;
    for (let i = 0; i < count; i++) history[this._filled + i] = input[i];
    this._filled += count;

    let written = 0;
    while (this._start + this._taps <= this._filled && written < output.length) {
      output[written++] = this._filter(this._start, this._phase);
      this._phase += this._step;
      this._start += Math.floor(this._phase / this._phases);
      this._phase %= this._phases;
    }
    this._dropHeard();
    return written;
  }

  _filter(start, phase) {
    const history = this._history;
    const table = this._table;
    const row = phase * this._taps;
    let sum = 0;
    for (let tap = 0; tap < this._taps; tap++) sum += history[start + tap] * table[row + tap];
    return sum;
  }

  _dropHeard() {
    const heard = Math.min(this._start, this._filled);
    this._history.copyWithin(0, heard, this._filled);
    this._filled -= heard;
    this._start -= heard;
  }
}

function filterTable(phases, halfTaps, scale) {
  const taps = 2 * halfTaps;
  const table = new Float32Array(phases * taps);
  const cutoff = scale * (scale < 1 ? PASS_BAND : 1);
  for (let phase = 0; phase < phases; phase++) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - (halfTaps - 1) - phase / phases;
      row[tap] = sinc(cutoff * distance) * kaiser(distance / halfTaps);
      sum += row[tap];
    }
    // Each branch gets the same gain at 0 Hz; otherwise the branches' differences are heard as a whine.
    for (let tap = 0; tap < taps; tap++) row[tap] /= sum;
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  if (Math.abs(x) >= 1) return 0;
  return besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** The modified Bessel function of order 0, by its power series. */
function besselI0(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
