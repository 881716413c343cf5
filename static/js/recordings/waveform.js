/** The outline of a sound as something to draw. Pure. */

const LEAST = 4;
/** What is quiet stays to be seen. */

/**
 * @param {number[]} peaks  the loudest of equal slots, 0 to 255
 * @param {number} count  of bars that there is room for
 * @returns {number[]}  the loudest of as many equal slots, or of those that there are
 */
export function bars(peaks, count) {
  const wanted = Math.max(1, Math.min(peaks.length, count));
  return Array.from({ length: peaks.length ? wanted : 0 }, (_, place) => {
    const first = Math.floor((place * peaks.length) / wanted);
    const end = Math.max(first + 1, Math.floor(((place + 1) * peaks.length) / wanted));
    return Math.max(...peaks.slice(first, end));
  });
}

/**
 * @param {number[]} heights  0 to 255
 * @returns {string}  for the `d` of a path: a line upright in the middle of each unit, within 0 and 255
 */
export function outline(heights) {
  return heights
    .map((height, place) => {
      const half = Math.max(LEAST, height) / 2;
      return `M${place + 0.5} ${127.5 - half}v${2 * half}`;
    })
    .join("");
}
