/**
 * The last ten minutes of a line as points of a picture and as rows of a table. Pure.
 *
 * Gaps and levels come from the server, which keeps them. Round trips are kept by nobody: those that the page was told
 * while it was looked at.
 *
 * @typedef {{at: number, ms: number}} Sample
 * @typedef {{x: number, height: number, planned: boolean}} GapMark  in percent of the lane
 *
 * @typedef {object} Strip
 * @property {string} roundTrip  points of a polyline, in percent
 * @property {string} level  the same
 * @property {GapMark[]} gaps
 * @property {number | null} longestTripMs
 * @property {string} summary  a sentence for those who do not see it
 * @property {string[][]} rows  of the table: when, what, how much; the newest first
 */

import { gettext, interpolate, locale, ngettext } from "../helpers/gettext.js";
import { duration, milliseconds } from "../helpers/time.js";
import { causeText } from "./session_figures.js";

export const STRIP_MS = 600_000;
const LONGEST_GAP_MS = 60_000;
/** A line may not touch the edge. */
const MARGIN = 8;
/** Without a sample for so long there was nobody who looked, or no connection. */
const HOLE_MS = 5000;
const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

/**
 * @param {Sample[]} samples
 * @param {number | null} roundTripMs
 * @param {number} nowMs
 * @returns {Sample[]}  with this one, without those that are too old
 */
export function withSample(samples, roundTripMs, nowMs) {
  const kept = samples.filter(({ at }) => nowMs - at <= STRIP_MS);
  return roundTripMs === null ? kept : [...kept, { at: nowMs, ms: roundTripMs }];
}

/**
 * @param {import("./session_figures.js").ModeReport} report
 * @param {Sample[]} samples
 * @param {number} nowMs
 * @returns {Strip}
 */
export function stripOf(report, samples, nowMs) {
  const x = (at) => round(100 - (100 * (nowMs - at)) / STRIP_MS);
  const { gaps, levels } = report.strip;
  const trips = samples.map(({ ms }) => ms);
  const longestTripMs = trips.length > 0 ? Math.max(...trips) : null;
  return {
    roundTrip: pathOf(samples, x, Math.max(1, longestTripMs ?? 1)),
    level: levelPath(levels, report.level, x),
    gaps: gaps.map((gap) => ({ x: x(Date.parse(gap.at)), height: heightOf(gap.gap_ms), planned: gap.planned })),
    longestTripMs,
    summary: summaryOf(gaps, levels, report.level, trips),
    rows: rowsOf(gaps, levels, samples),
  };
}

const round = (value) => Math.round(value * 100) / 100;

function heightAt(share) {
  return round(100 - MARGIN - (100 - 2 * MARGIN) * share);
}

/** One of 40 ms and one of a minute are in the same picture. */
function heightOf(gapMs) {
  return round(15 + (85 * Math.log10(1 + Math.min(gapMs, LONGEST_GAP_MS))) / Math.log10(1 + LONGEST_GAP_MS));
}

function pathOf(samples, x, most) {
  return samples
    .map(({ at, ms }, index) => {
      const goesOn = index > 0 && at - samples[index - 1].at <= HOLE_MS;
      return `${goesOn ? "L" : "M"}${x(at)} ${heightAt(ms / most)}`;
    })
    .join("");
}

function levelPath(levels, { number, top }, x) {
  const first = levels.length > 0 ? levels[0].previous : number;
  const steps = levels.map(({ at, level }) => `H${x(Date.parse(at))}V${heightAt(level / top)}`);
  return `M0 ${heightAt(first / top)}${steps.join("")}H100`;
}

function summaryOf(gaps, levels, level, trips) {
  const longest = Math.max(...gaps.map((gap) => gap.gap_ms));
  const gapWords = gaps.length
    ? ngettext("%(count)s gap, the longest %(time)s", "%(count)s gaps, the longest %(time)s", gaps.length)
    : gettext("No gaps");
  const levelWords = levels.length
    ? ngettext("%(count)s change of level", "%(count)s changes of level", levels.length)
    : gettext("level %(level)s all the time");
  const tripWords = trips.length ? gettext("round trips of %(least)s to %(most)s ms") : gettext("no round trip measured");
  // Translators: three things of one line, as a sentence.
  return interpolate(gettext("%(gaps)s, %(levels)s, %(trips)s."), {
    gaps: interpolate(gapWords, { count: gaps.length, time: gapText(longest) }),
    levels: interpolate(levelWords, { count: levels.length, level: level.number }),
    trips: interpolate(tripWords, extremesOf(trips)),
  });
}

function rowsOf(gaps, levels, samples) {
  const rows = [
    ...gaps.map((gap) => [Date.parse(gap.at), ...gapCells(gap)]),
    ...levels.map(({ at, previous, level }) => [Date.parse(at), gettext("Level"), changeText(previous, level)]),
    ...tripsByMinute(samples),
  ];
  rows.sort(([one], [other]) => other - one);
  return rows.map(([at, ...cells]) => [timeText(at), ...cells]);
}

function gapCells(gap) {
  const kind = interpolate(gettext("Gap: %(cause)s"), { cause: causeText(gap.cause) });
  // Translators: how long a gap was, and whether it was planned.
  return [kind, interpolate(gettext("%(time)s, %(planned)s"), { time: gapText(gap.gap_ms), planned: plannedWord(gap) })];
}

// Translators: a change of level.
const changeText = (previous, level) => interpolate(gettext("%(previous)s to %(level)s"), { previous, level });

function tripsByMinute(samples) {
  const minutes = new Map();
  for (const { at, ms } of samples) {
    const minute = Math.floor(at / 60_000) * 60_000;
    minutes.set(minute, [...(minutes.get(minute) ?? []), ms]);
  }
  return [...minutes].map(([at, trips]) => [at, gettext("Round trip in this minute"), interpolate(gettext("%(least)s to %(most)s ms"), extremesOf(trips))]);
}

/** @param {{planned: boolean}} gap @returns {string} */
export const plannedWord = ({ planned }) => (planned ? gettext("planned") : gettext("unplanned"));

/** @param {number} at  since the epoch @returns {string}  by the reader's clock */
export const timeText = (at) => new Date(at).toLocaleTimeString(locale, TIME);

const gapText = (ms) => (ms < 1000 ? milliseconds(ms) : duration(ms));
const extremesOf = (trips) => ({ least: Math.min(...trips), most: Math.max(...trips) });
