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

import { duration } from "../helpers/time.js";
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
  const gapWords = gaps.length === 0 ? "No gaps" : `${count(gaps.length, "gap")}, the longest ${gapText(longest)}`;
  const levelWords = levels.length === 0 ? `level ${level.number} all the time` : `${count(levels.length, "change")} of level`;
  const tripWords = trips.length === 0 ? "no round trip measured" : `round trips of ${Math.min(...trips)} to ${Math.max(...trips)} ms`;
  return `${gapWords}, ${levelWords}, ${tripWords}.`;
}

function rowsOf(gaps, levels, samples) {
  const rows = [
    ...gaps.map((gap) => [Date.parse(gap.at), `Gap: ${causeText(gap.cause)}`, `${gapText(gap.gap_ms)}, ${plannedWord(gap)}`]),
    ...levels.map(({ at, previous, level }) => [Date.parse(at), "Level", `${previous} to ${level}`]),
    ...tripsByMinute(samples),
  ];
  rows.sort(([one], [other]) => other - one);
  return rows.map(([at, ...cells]) => [timeText(at), ...cells]);
}

function tripsByMinute(samples) {
  const minutes = new Map();
  for (const { at, ms } of samples) {
    const minute = Math.floor(at / 60_000) * 60_000;
    minutes.set(minute, [...(minutes.get(minute) ?? []), ms]);
  }
  return [...minutes].map(([at, trips]) => [at, "Round trip in this minute", `${Math.min(...trips)} to ${Math.max(...trips)} ms`]);
}

/** @param {{planned: boolean}} gap @returns {string} */
export const plannedWord = ({ planned }) => (planned ? "planned" : "unplanned");

/** @param {number} at  since the epoch @returns {string}  by the reader's clock */
export const timeText = (at) => new Date(at).toLocaleTimeString("en-GB", TIME);

const gapText = (ms) => (ms < 1000 ? `${ms} ms` : duration(ms));
const count = (many, noun) => `${many} ${noun}${many === 1 ? "" : "s"}`;
