/** Durations and times in words and figures. Pure. */

/**
 * @param {number} ms
 * @returns {string}  such as "3:07" or "1:02:03"
 */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

/**
 * @param {number} ms
 * @returns {string}  such as "4.2 seconds" or "3 minutes 7 seconds"
 */
export function duration(ms) {
  if (ms < 10000) return count(Number((ms / 1000).toFixed(1)), "second");
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const words = [minutes && count(minutes, "minute"), seconds % 60 && count(seconds % 60, "second")];
  return words.filter(Boolean).join(" ");
}

/**
 * How long somebody talked, as `length_words` of the history has it.
 *
 * @param {number} ms
 * @returns {string}  "a moment", "40 seconds", "3 minutes" or "2 hours 5 minutes"
 */
export function talkLength(ms) {
  if (ms < 1000) return "a moment";
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return count(seconds, "second");
  const minutes = Math.round(seconds / 60);
  const words = [minutes >= 60 && count(Math.floor(minutes / 60), "hour"), minutes % 60 && count(minutes % 60, "minute")];
  return words.filter(Boolean).join(" ");
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY_MS = 86_400_000;

/**
 * @param {number} atMs  since the epoch, as `nowMs`; not before it
 * @param {number} nowMs
 * @returns {string}  by the reader's clock: "at 09:00", "on Monday at 09:00" or "on 5 December at 09:00"
 */
export function moment(atMs, nowMs) {
  const at = new Date(atMs);
  const time = `at ${at.toLocaleTimeString("en-GB", TIME)}`;
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  const style = atMs - nowMs < 6 * DAY_MS ? { weekday: "long" } : { day: "numeric", month: "long" };
  return `on ${at.toLocaleDateString("en-GB", style)} ${time}`;
}

/**
 * @param {string} text
 * @param {import("../session/messages.js").Named | undefined} named  a moment that the text names by another clock
 * @param {number} saidMs  since the epoch
 * @returns {string}  the same by the reader's clock: "09:00", "Monday 09:00" or "5 December 09:00"
 */
export function byOwnClock(text, named, saidMs) {
  if (!named) return text;
  return text.replace(named.words, () => moment(named.at, saidMs).replace(/^on /, "").replace(/\bat /, ""));
}

/**
 * @param {number} atMs  since the epoch
 * @returns {string}  by the reader's clock, such as "09:05"
 */
export function timeOfDay(atMs) {
  return new Date(atMs).toLocaleTimeString("en-GB", TIME);
}

/**
 * @param {number} atMs  since the epoch, as `nowMs`; not after it
 * @param {number} nowMs
 * @returns {string}  of the reader's days: "Today", "Yesterday", "Friday 27 November", with the year if it is another
 */
export function dayName(atMs, nowMs) {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return at.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", ...year });
}

/** Both in milliseconds since the epoch, by the reader's clock. */
export function isSameDay(oneMs, otherMs) {
  return new Date(oneMs).toDateString() === new Date(otherMs).toDateString();
}

/**
 * @param {number} endedMs  since the epoch, as `nowMs`
 * @param {number} nowMs
 * @returns {string}  when a call was, by the reader's clock, such as it stands after "your call of": "20 seconds ago",
 *   "12 minutes ago", "this morning", "last night", "yesterday", "Tuesday", "20 November"
 */
export function callTime(endedMs, nowMs) {
  const seconds = Math.floor((nowMs - endedMs) / 1000);
  if (seconds < 10) return "a moment ago";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} seconds ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2) return "a minute ago";
  if (minutes < 60) return `${minutes} minutes ago`;
  const [ended, now] = [new Date(endedMs), new Date(nowMs)];
  const days = Math.round((startOfDay(now) - startOfDay(ended)) / DAY_MS);
  if (days === 0) return partOfToday(ended.getHours(), now.getHours());
  if (days === 1) return "yesterday";
  return ended.toLocaleDateString("en-GB", days < 7 ? { weekday: "long" } : { day: "numeric", month: "long" });
}

function partOfToday(hour, hourNow) {
  if (hour < 5) return hourNow < 5 ? "tonight" : "last night";
  if (hour < 12) return "this morning";
  return hour < 18 ? "this afternoon" : "this evening";
}

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
