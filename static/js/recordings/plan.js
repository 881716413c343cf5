/** How a file is sent: which part is next, how large, and what an answer means for what comes after it. Pure. */

export const SMALLEST_PART_BYTES = 128 * 1024;
const WISHED_MS = 2000;
const GROWTH = 2;

/**
 * @param {number} received  bytes that the server has
 * @param {number} size  of the file
 * @param {number} partBytes  how large a part may be just now
 * @returns {[number, number]}  the first byte, and the one after the last
 */
export function nextPart(received, size, partBytes) {
  return [received, Math.min(size, received + partBytes)];
}

/**
 * Parts that take two seconds: a line that is torn costs little then, and a proxy that gives a request ten seconds is
 * content with a slow line. They grow step by step, and shrink at once.
 *
 * @param {number} partBytes  as large as the last one was meant to be
 * @param {number} sentBytes  as large as it was
 * @param {number} ms  that it took
 * @param {number} largest  that the server advises
 * @returns {number}  bytes of the next part
 */
export function partBytesAfter(partBytes, sentBytes, ms, largest) {
  const fitting = (sentBytes / Math.max(1, ms)) * WISHED_MS;
  return Math.round(Math.min(largest, Math.max(SMALLEST_PART_BYTES, Math.min(fitting, partBytes * GROWTH))));
}

/** After a line was torn, a part that got nowhere is halved. */
export function partBytesAfterTear(partBytes) {
  return Math.max(SMALLEST_PART_BYTES, Math.round(partBytes / 2));
}

/**
 * @param {number} status  of an answer
 * @param {string} code  of its error, if there is one
 * @returns {"taken" | "ask" | "anew" | "later" | "log_in" | "refused"}  go on; ask the server where the file goes on; it
 *   has lost the file; try again in a while; somebody has to log in; it is over
 */
export function meaningOf(status, code) {
  if (status < 300) return "taken";
  if (status === 409 && (code === "wrong_place" || code === "busy")) return "ask";
  if (status === 410) return "anew";
  if (status === 401 || status === 403) return code && code !== "not_logged_in" ? "refused" : "log_in";
  if (status === 408 || status === 502 || status === 503 || status === 504) return "later";
  return "refused";
}

export const FILES_AT_MOST = 100;

/**
 * @param {number} chosen  files
 * @param {number} listed  that are on the page already
 * @returns {number}  how many of them are taken: a folder of thousands would be more lines than anybody reads
 */
export function taken(chosen, listed) {
  return Math.max(0, Math.min(chosen, FILES_AT_MOST - listed));
}

/**
 * @param {{state: string, isLeaving?: boolean}[]} uploads  in the order in which they were chosen
 * @param {number} atOnce  as many as the server takes of a user
 * @returns {number}  the place of the one to start now; -1 for none
 */
export function nextToStart(uploads, atOnce) {
  const isGoing = ({ state, isLeaving }) => isLeaving || ["sending", "torn", "paused", "checking"].includes(state);
  const going = uploads.filter(isGoing).length;
  return going < atOnce ? uploads.findIndex(({ state }) => state === "waiting") : -1;
}
