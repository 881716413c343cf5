/** How strong the service is at present: a battery, a word, and the model in its label. */

import { element, find, setText } from "../helpers/dom.js";

export class EnergyMeter {
  /** @param {HTMLElement} root  with `role="meter"` */
  constructor(root) {
    this._root = root;
    this._word = find("[data-energy-word]", root);
    this._cells = find("[data-energy-cells]", root);
  }

  /** @param {import("../session/messages.js").Energy | null} energy */
  show(energy) {
    this._root.hidden = energy === null;
    if (energy === null) return;
    const { level, max, word, model } = energy;
    this._root.setAttribute("aria-valuemax", String(max));
    this._root.setAttribute("aria-valuenow", String(level));
    this._root.setAttribute("aria-valuetext", `${word}, ${level} of ${max}, ${model}`);
    this._root.title = model;
    this._root.dataset.level = String(level);
    setText(this._word, word);
    this._fill(level, max);
  }

  _fill(level, max) {
    while (this._cells.childElementCount < max) this._cells.append(element("i"));
    while (this._cells.childElementCount > max) this._cells.lastElementChild.remove();
    [...this._cells.children].forEach((cell, index) => cell.classList.toggle("is-full", index < level));
  }
}
