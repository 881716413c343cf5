/** Durations and times in words and figures. Pure. */

import { gettext, interpolate, locale } from "./gettext.js";

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
  if (ms < 10000) return count(Number((ms / 1000).toFixed(1)) || 0, "second");
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return together([minutes && count(minutes, "minute"), seconds % 60 && count(seconds % 60, "second")]);
}

/**
 * @param {number} ms  since then; not below 0
 * @returns {string}  as people say it, by one unit: "40 seconds ago", "3 minutes ago", "5 hours ago" or "2 days ago"
 */
export function ago(ms) {
  const [unit, unitMs] = UNITS.find(([, atLeastMs]) => ms >= atLeastMs) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale).format(-Math.floor(ms / unitMs), unit);
}

/** @param {number} ms @returns {string}  "12 ms" */
export const milliseconds = (ms) => new Intl.NumberFormat(locale, { style: "unit", unit: "millisecond" }).format(ms);

/**
 * How long somebody talked, as `length_words` of the history has it.
 *
 * @param {number} ms
 * @returns {string}  "a moment", "40 seconds", "3 minutes" or "2 hours 5 minutes"
 */
export function talkLength(ms) {
  // Translators: how long somebody talked; a line by itself.
  if (ms < 1000) return gettext("a moment");
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return count(seconds, "second");
  const minutes = Math.round(seconds / 60);
  return together([minutes >= 60 && count(Math.floor(minutes / 60), "hour"), minutes % 60 && count(minutes % 60, "minute")]);
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const WEEKDAY = { weekday: "long" };
const DATE = { day: "numeric", month: "long" };
const DAY_MS = 86_400_000;
const UNITS = [["day", DAY_MS], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000]];

/**
 * @param {number} atMs  since the epoch, as `nowMs`; not before it
 * @param {number} nowMs
 * @returns {string}  by the reader's clock: "at 09:00", "on Monday at 09:00" or "on 5 December at 09:00"
 */
export function moment(atMs, nowMs) {
  // Translators: such as "at 09:00"; it stands within sentences, as the two that follow do.
  const today = gettext("at %(time)s");
  // Translators: such as "on 5 December at 09:00".
  return toldBy(atMs, nowMs, today, gettext("on %(weekday)s at %(time)s"), gettext("on %(date)s at %(time)s"));
}

function toldBy(atMs, nowMs, today, soon, later) {
  const at = new Date(atMs);
  const time = timeOfDay(atMs);
  if (isSameDay(atMs, nowMs)) return interpolate(today, { time });
  if (atMs - nowMs < 6 * DAY_MS) return interpolate(soon, { weekday: day(at, WEEKDAY), time });
  return interpolate(later, { date: day(at, DATE), time });
}

/**
 * @param {string} text
 * @param {import("../session/messages.js").Named | undefined} named  a moment that the text names by another clock
 * @param {number} saidMs  since the epoch
 * @returns {string}  the same by the reader's clock: "09:00", "Monday 09:00" or "5 December 09:00"
 */
export function byOwnClock(text, named, saidMs) {
  if (!named) return text;
  // Translators: such as "Monday 09:00"; it stands within sentences, as the one that follows does: "5 December 09:00".
  const soon = gettext("%(weekday)s %(time)s");
  return text.replace(named.words, () => toldBy(named.at, saidMs, "%(time)s", soon, gettext("%(date)s %(time)s")));
}

/**
 * @param {number} atMs  since the epoch
 * @returns {string}  by the reader's clock, such as "09:05"
 */
export function timeOfDay(atMs) {
  return new Date(atMs).toLocaleTimeString(locale, TIME);
}

/**
 * @param {number} atMs  since the epoch, as `nowMs`; not after it
 * @param {number} nowMs
 * @returns {string}  of the reader's days: "Today", "Yesterday", "Friday 27 November", with the year if it is another
 */
export function dayName(atMs, nowMs) {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
  if (days === 0) return gettext("Today");
  if (days === 1) return gettext("Yesterday");
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return day(at, { ...WEEKDAY, ...DATE, ...year });
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
  // Translators: as all the times of a call that follow, it stands where "%(when)s" is in "your call of %(when)s".
  if (seconds < 10) return gettext("a moment ago");
  const tens = Math.floor(seconds / 10) * 10;
  if (seconds < 60) return ago(tens * 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2) return gettext("a minute ago");
  if (minutes < 60) return ago(minutes * 60_000);
  const [ended, now] = [new Date(endedMs), new Date(nowMs)];
  const days = Math.round((startOfDay(now) - startOfDay(ended)) / DAY_MS);
  if (days === 0) return partOfToday(ended.getHours(), now.getHours());
  if (days === 1) return gettext("yesterday");
  return day(ended, days < 7 ? WEEKDAY : DATE);
}

function partOfToday(hour, hourNow) {
  if (hour < 5) return hourNow < 5 ? gettext("tonight") : gettext("last night");
  if (hour < 12) return gettext("this morning");
  return hour < 18 ? gettext("this afternoon") : gettext("this evening");
}

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

const day = (date, style) => date.toLocaleDateString(locale, style);

/**
 * @param {number} number
 * @param {"second" | "minute" | "hour"} unit
 * @returns {string}  such as "1 second" or "4.2 seconds"
 */
export function count(number, unit) {
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long", useGrouping: false }).format(number);
}

/**
 * @param {(string | 0 | false)[]} counts  of units, the largest first; those that are nothing are left out
 * @returns {string}  such as "3 minutes 7 seconds"
 */
export function together(counts) {
  return new Intl.ListFormat(locale, { type: "unit", style: "narrow" }).format(counts.filter(Boolean));
}
