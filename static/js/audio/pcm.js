/**
 * PCM16 and the audio frames of the browser protocol. Pure: no browser API beyond typed arrays.
 *
 * A frame is a 4-byte big-endian unsigned sequence number followed by PCM16 little-endian mono samples. Typed arrays have
 * the byte order of the machine, which is little-endian wherever a browser runs.
 */

import { FRAME } from "../session/protocol.js";

export const CAPTURE_RATE_HZ = FRAME.UP_RATE_HZ;
export const PLAYBACK_RATE_HZ = FRAME.DOWN_RATE_HZ;
/** What waits to be heard is bounded: replies are shorter, and five minutes are 14 MB. */
export const LONGEST_QUEUED_SAMPLES = 5 * 60 * PLAYBACK_RATE_HZ;
export const FRAME_MS = 40;
export const FRAME_SAMPLES = (CAPTURE_RATE_HZ * FRAME_MS) / 1000;

/**
 * @param {number} number  sequence number of the frame, 0 or more
 * @param {Int16Array} pcm  samples
 * @returns {ArrayBuffer}  the binary message to send
 */
export function encodeFrame(number, pcm) {
  const frame = new Uint8Array(FRAME.NUMBER_BYTES + pcm.byteLength);
  new DataView(frame.buffer).setUint32(0, number, false);
  frame.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), FRAME.NUMBER_BYTES);
  return frame.buffer;
}

/**
 * @param {ArrayBuffer} frame  a binary message
 * @returns {{number: number, pcm: Int16Array} | null}  null when it is too short to hold a whole sample
 */
export function decodeFrame(frame) {
  if (frame.byteLength < FRAME.NUMBER_BYTES + FRAME.SAMPLE_BYTES) return null;
  const number = new DataView(frame).getUint32(0, false);
  const sampleBytes = (frame.byteLength - FRAME.NUMBER_BYTES) & ~1;
  return { number, pcm: new Int16Array(frame.slice(FRAME.NUMBER_BYTES, FRAME.NUMBER_BYTES + sampleBytes)) };
}

/**
 * @param {number} sample  -1 to 1; anything outside is clipped
 * @returns {number}  -32768 to 32767
 */
export function toPcm16(sample) {
  const clipped = Math.max(-1, Math.min(1, sample));
  return Math.round(clipped < 0 ? clipped * 0x8000 : clipped * 0x7fff);
}
