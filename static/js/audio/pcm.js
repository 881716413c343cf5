/**
 * PCM16 and the audio frames of the browser protocol. Pure: no browser API beyond typed arrays.
 *
 * A frame is a 4-byte big-endian unsigned sequence number followed by PCM16 little-endian mono samples. Typed arrays have
 * the byte order of the machine, which is little-endian wherever a browser runs.
 */

export const CAPTURE_RATE_HZ = 16000;
export const PLAYBACK_RATE_HZ = 24000;
/** What waits to be heard is bounded: replies are shorter, and five minutes are 14 MB. */
export const LONGEST_QUEUED_SAMPLES = 5 * 60 * PLAYBACK_RATE_HZ;
export const FRAME_MS = 40;
export const FRAME_SAMPLES = (CAPTURE_RATE_HZ * FRAME_MS) / 1000;

const HEADER_BYTES = 4;
const BYTES_PER_SAMPLE = 2;

/**
 * @param {number} number  sequence number of the frame, 0 or more
 * @param {Int16Array} pcm  samples
 * @returns {ArrayBuffer}  the binary message to send
 */
export function encodeFrame(number, pcm) {
  const frame = new Uint8Array(HEADER_BYTES + pcm.byteLength);
  new DataView(frame.buffer).setUint32(0, number, false);
  frame.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), HEADER_BYTES);
  return frame.buffer;
}

/**
 * @param {ArrayBuffer} frame  a binary message
 * @returns {{number: number, pcm: Int16Array} | null}  null when it is too short to hold a whole sample
 */
export function decodeFrame(frame) {
  if (frame.byteLength < HEADER_BYTES + BYTES_PER_SAMPLE) return null;
  const number = new DataView(frame).getUint32(0, false);
  const sampleBytes = (frame.byteLength - HEADER_BYTES) & ~1;
  return { number, pcm: new Int16Array(frame.slice(HEADER_BYTES, HEADER_BYTES + sampleBytes)) };
}

/**
 * @param {number} sample  -1 to 1; anything outside is clipped
 * @returns {number}  -32768 to 32767
 */
export function toPcm16(sample) {
  const clipped = Math.max(-1, Math.min(1, sample));
  return Math.round(clipped < 0 ? clipped * 0x8000 : clipped * 0x7fff);
}
