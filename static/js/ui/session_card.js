/** One mode on the session page: its headline, what can be wished for it, its figures, its swaps, its last ten minutes. */

import { element, find, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { milliseconds } from "../helpers/time.js";
import { actionWord, causeText, figuresOf, headlineOf, possibleWishes } from "../session/session_figures.js";
import { plannedWord, stripOf, timeText, withSample } from "../session/strip.js";
import { StripChart } from "./strip_chart.js";
import { table } from "./table.js";

const SWAPS_SHOWN = 10;

export class SessionCard {
  /**
   * @param {HTMLElement} root
   * @param {(wish: string) => void} onWish
   */
  constructor(root, onWish) {
    this._root = root;
    this._status = find(".status", root);
    this._word = find("[data-word]", root);
    this._detail = find("[data-detail]", root);
    this._result = find("[data-result]", root);
    this._figures = find("[data-figures]", root);
    this._swaps = find("[data-swaps]", root);
    this._chart = new StripChart(find("[data-strip]", root));
    this._buttons = [...root.querySelectorAll("[data-wish]")];
    for (const button of this._buttons) button.addEventListener("click", () => onWish(button.dataset.wish));
    this._values = new Map();
    this._shape = "";
    this._shownSwaps = "";
    this._samples = [];
    this._isOff = true;
    this._possible = new Set();
  }

  /** @returns {string}  what a screen reader hears when it has changed */
  get spoken() {
    return interpolate(gettext("%(what)s: %(state)s."), { what: find("h2", this._root).textContent, state: this._word.textContent });
  }

  /**
   * @param {import("../session/session_figures.js").ModeReport} report
   * @param {number} nowMs  since the epoch
   */
  show(report, nowMs) {
    const { word, detail, tone } = headlineOf(report, nowMs);
    this._root.dataset.state = report.state;
    this._status.dataset.tone = tone;
    setText(this._word, word);
    setText(this._detail, detail);
    this._possible = possibleWishes(report);
    this._showButtons();
    this._showFigures(figuresOf(report, nowMs));
    this._showSwaps(report.swaps);
    this._samples = withSample(this._samples, report.round_trip_ms, nowMs);
    this._chart.show(stripOf(report, this._samples, nowMs), report.level);
  }

  /** @param {string} text  what came of a wish */
  showResult(text) {
    setText(this._result, text);
  }

  /** @param {boolean} isOff  nothing can be wished, because the server is not there */
  setOff(isOff) {
    this._isOff = isOff;
    this._showButtons();
  }

  _showButtons() {
    for (const button of this._buttons) button.disabled = this._isOff || !this._possible.has(button.dataset.wish);
  }

  /** Elements stay as long as there are the same figures: whoever reads or marks them is not disturbed. */
  _showFigures(groups) {
    const shape = groups.flatMap(({ figures }) => figures.map(({ name, share }) => name + (share === undefined))).join();
    if (shape !== this._shape) {
      this._shape = shape;
      this._values.clear();
      this._figures.replaceChildren(...groups.map((group) => this._groupOf(group)));
    }
    for (const { name, value, share } of groups.flatMap(({ figures }) => figures)) {
      const { text, bar } = this._values.get(name);
      setText(text, value);
      bar?.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    }
  }

  _groupOf({ title, figures }) {
    const lines = figures.map(({ name, label, share }) => {
      const text = element("dd", { "data-figure": name });
      const bar = share === undefined ? null : element("span");
      this._values.set(name, { text, bar });
      const line = element("div", {}, [element("dt", {}, [label]), text]);
      if (bar) line.append(element("dd", { class: "figures__bar", "aria-hidden": "true" }, [bar]));
      return line;
    });
    const heading = element("h3", { class: "figures__title" }, [title]);
    return element("div", { class: "figures" }, [heading, element("dl", { class: "figures__list" }, lines)]);
  }

  _showSwaps(swaps) {
    const shown = JSON.stringify(swaps);
    if (shown === this._shownSwaps) return;
    this._shownSwaps = shown;
    const rows = swaps
      .slice(-SWAPS_SHOWN)
      .reverse()
      .map((swap) => [timeText(Date.parse(swap.at)), causeText(swap.cause), plannedWord(swap), actionWord(swap.action), milliseconds(swap.gap_ms)]);
    const head = [gettext("When"), gettext("Why"), gettext("Kind"), gettext("How it went on"), gettext("Gap")];
    const label = interpolate(gettext("Swaps: %(what)s"), { what: find("h2", this._root).textContent });
    const box = { class: "session__table", role: "region", tabindex: "0", "aria-label": label };
    this._swaps.replaceChildren(...(rows.length > 0 ? [element("div", box, [table(gettext("Swaps of this session"), head, rows)])] : []));
  }
}
