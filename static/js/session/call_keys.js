/**
 * What the keys of a call do, and where. Pure: it looks at no more of an element than what it is.
 *
 * Single keys can be switched off, and end nothing by being pressed once: somebody who dictates, or whose hand slips, presses
 * letters without meaning to (WCAG 2.1.4).
 *
 * @typedef {"mute" | "ask" | "hang-up" | "help"} KeyWish  `ask`: to hang up it has to be pressed again
 */

/** For so long the second press counts. */
export const ASKED_FOR_MS = 3000;

/** A press that is shorter is one of the button that has the focus. */
const PRESS_MS = 300;

const TYPING = "input, textarea, select, [contenteditable]";
const WRITING = "textarea, select, [contenteditable], input:not([type=button], [type=checkbox], [type=radio], [type=range], [type=submit])";
const PRESSED_BY_SPACE = "button, summary, input:is([type=button], [type=checkbox], [type=radio], [type=submit])";
/** Opening the microphone is what a press of it wants, too. */
const OF_THE_MICROPHONE = "[data-mute], [data-push-to-talk]";

/**
 * @param {Element | null} target  of the key
 * @returns {boolean}  whether a letter is a letter there
 */
export const isTyping = (target) => target?.closest?.(TYPING) != null;

/**
 * @param {object} pressed
 * @param {string} pressed.key
 * @param {boolean} pressed.isTyping
 * @param {boolean} pressed.isModified  by Control, Alt or the like
 * @param {boolean} pressed.isRepeat  it is still held
 * @param {object} page
 * @param {boolean} page.inCall
 * @param {boolean} page.isOn  single keys are not switched off
 * @param {number | null} page.askedAtMs  when the first press wanted to hang up
 * @param {number} nowMs  on the same clock
 * @returns {KeyWish | null}
 */
export function keyWish({ key, isTyping, isModified, isRepeat }, { inCall, isOn, askedAtMs }, nowMs) {
  if (!isOn || isTyping || isModified || isRepeat) return null;
  if (key === "?") return "help";
  if (!inCall) return null;
  if (key.toLowerCase() === "m") return "mute";
  if (key.toLowerCase() !== "h") return null;
  return askedAtMs !== null && nowMs - askedAtMs < ASKED_FOR_MS ? "hang-up" : "ask";
}

/**
 * @param {Element | null} target  that has the focus
 * @returns {number | null}  how long the space bar has to be held there until it talks, in ms; null: never
 */
export function talkAfterMs(target) {
  if (target?.closest?.(WRITING)) return null;
  if (target?.closest?.(OF_THE_MICROPHONE)) return 0;
  return target?.closest?.(PRESSED_BY_SPACE) ? PRESS_MS : 0;
}

/**
 * @param {number} heldMs
 * @returns {boolean}  whether it was held to talk, and is no press of what has the focus
 */
export const wasHeld = (heldMs) => heldMs >= PRESS_MS;
