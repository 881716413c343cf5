/** The last ten minutes of a line: three lanes over one another, and a table of the same. */

import { element, find, setText } from "../helpers/dom.js";
import { gettext, interpolate, pgettext } from "../helpers/gettext.js";
import { table } from "./table.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

export class StripChart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this._table = find("[data-strip-table]", root);
    this._details = find("details", root);
    this._lanes = [lane(gettext("Round trip"), "strip__line"), lane(gettext("Level"), "strip__line strip__line--level"), lane(gettext("Gaps"), "")];
    this._lanesBox = element("div", { role: "img" }, this._lanes.map(({ node }) => node));
    const axis = element("div", { class: "strip__axis", "aria-hidden": "true" }, [
      ...[gettext("10 min ago"), gettext("5 min"), gettext("now")].map((word) => element("span", {}, [word])),
    ]);
    const key = element("ul", { class: "strip__key", "aria-hidden": "true" }, [
      keyOf(gettext("Planned gap"), true),
      keyOf(gettext("Unplanned gap"), false),
    ]);
    find("[data-strip-picture]", root).append(this._lanesBox, axis, key);
    this._shownRows = "";
    this._rows = [];
    this._details.addEventListener("toggle", () => this._showTable());
  }

  /**
   * @param {import("../session/strip.js").Strip} strip
   * @param {{number: number, top: number}} level
   */
  show(strip, level) {
    const [trips, levels, gaps] = this._lanes;
    this._lanesBox.setAttribute("aria-label", strip.summary);
    trips.path.setAttribute("d", strip.roundTrip);
    const most = strip.longestTripMs;
    setText(trips.note, most === null ? gettext("not known") : interpolate(gettext("up to %(most)s ms"), { most }));
    levels.path.setAttribute("d", strip.level);
    setText(levels.note, interpolate(gettext("%(level)s of %(max)s"), { level: level.number, max: level.top }));
    gaps.svg.replaceChildren(...strip.gaps.map(markOf));
    setText(gaps.note, String(strip.gaps.length || pgettext("gaps", "none")));
    this._rows = strip.rows;
    this._showTable();
  }

  /** Only while it is open, and only when it says something else than before: a reader may be in it. */
  _showTable() {
    const rows = JSON.stringify(this._rows);
    if (!this._details.open || rows === this._shownRows) return;
    this._shownRows = rows;
    this._table.replaceChildren(
      this._rows.length > 0
        ? table(gettext("Gaps, levels and round trips, newest first"), [gettext("When"), gettext("What"), gettext("How much")], this._rows)
        : element("p", {}, [gettext("Nothing has happened.")]),
    );
  }
}

function lane(name, style) {
  const svg = svgOf("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const path = svgOf("path", { class: style });
  if (style) svg.append(path);
  const note = element("b");
  const label = element("span", { class: "strip__label" }, [name, note]);
  return { node: element("div", { class: "strip__lane" }, [label, svg]), svg, path, note };
}

function markOf({ x, height, planned }) {
  const style = planned ? "strip__gap" : "strip__gap strip__gap--unplanned";
  return svgOf("line", { class: style, x1: x, x2: x, y1: 100, y2: 100 - height });
}

function keyOf(word, planned) {
  const svg = svgOf("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" });
  svg.append(markOf({ x: 50, height: 100, planned }));
  return element("li", {}, [svg, word]);
}

function svgOf(tag, attributes) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}
