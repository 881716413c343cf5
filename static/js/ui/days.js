/** Where one day ends in a conversation and the next begins. */

import { element } from "../helpers/dom.js";
import { dayName, isSameDay } from "../helpers/time.js";

/**
 * @param {{node: Element, atMs: number}[]} lines  in order; those of which no time is known belong to the day before
 *   them (`atMs` NaN)
 * @param {number} nowMs  since the epoch, as `atMs`
 * @param {Map<string, Element>} [made]  separators of an earlier time, which are used again
 * @returns {Element[]}  the lines, with a separator before the first of each day; a conversation of today has none
 */
export function withDays(lines, nowMs, made = new Map()) {
  const nodes = [];
  let dayMs = nowMs;
  for (const { node, atMs } of lines) {
    if (!Number.isNaN(atMs) && !isSameDay(atMs, dayMs)) {
      nodes.push(separator(atMs, nowMs, made));
      dayMs = atMs;
    }
    nodes.push(node);
  }
  for (const [key, node] of made) {
    if (nodes.includes(node)) continue;
    node.remove();
    made.delete(key);
  }
  return nodes;
}

function separator(atMs, nowMs, made) {
  const key = new Date(atMs).toDateString();
  const words = dayName(atMs, nowMs);
  const node = made.get(key) ?? element("p", { class: "day" }, [element("time", { datetime: isoDay(atMs) })]);
  made.set(key, node);
  if (node.textContent !== words) node.firstElementChild.textContent = words;
  return node;
}

function isoDay(atMs) {
  const at = new Date(atMs);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
