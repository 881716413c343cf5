/**
 * Delays between tries to reconnect: the first try at once, then full jitter under a doubling ceiling, so that the pages
 * of a restarted server do not all come back in the same instant. Pure: randomness comes in as an argument.
 */

const FIRST_CEILING_MS = 500;
const LAST_CEILING_MS = 15000;

/**
 * @param {number} attempt  1 for the first try after a connection was lost
 * @param {number} random  0 to 1
 * @returns {number}  ms to wait before that try
 */
export function retryDelayMs(attempt, random) {
  if (attempt <= 1) return 0;
  const ceiling = Math.min(LAST_CEILING_MS, FIRST_CEILING_MS * 2 ** (attempt - 2));
  return Math.round(ceiling * random);
}
