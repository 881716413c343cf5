/** How strong the service is at present: a battery and a word, and behind them the model and when it gets better. */

import { element, find, setText } from "../helpers/dom.js";
import { energyFacts } from "../session/energy_words.js";
import { Disclosure } from "./disclosure.js";

export class EnergyMeter {
  /** @param {HTMLElement} root */
  constructor(root) {
    this._root = root;
    this._meter = find("[role=meter]", root);
    this._cells = find("[data-energy-cells]", root);
    this._words = root.querySelectorAll("[data-energy-word]");
    this._explanation = find("[data-energy-explanation]", root);
    this._level = find("[data-energy-level]", root);
    this._model = find("[data-energy-model]", root);
    this._comeback = find("[data-energy-comeback]", root);
    this._energy = null;
    new Disclosure(root, { onOpen: () => this.show(this._energy) });
  }

  /** @param {import("../session/messages.js").Energy | null} energy */
  show(energy) {
    this._energy = energy;
    this._root.hidden = energy === null;
    if (energy === null) return;
    const facts = energyFacts(energy, Date.now());
    this._meter.setAttribute("aria-valuemax", String(energy.max));
    this._meter.setAttribute("aria-valuenow", String(energy.level));
    this._meter.setAttribute("aria-valuetext", facts.label);
    this._root.dataset.level = energy.level >= energy.max ? "top" : String(energy.level);
    this._write(facts);
    this._fill(energy);
  }

  _write({ word, explanation, level, model, comeback }) {
    for (const place of this._words) setText(place, word);
    setText(this._explanation, explanation);
    setText(this._level, level);
    setText(this._model, model);
    setText(this._comeback, comeback);
    this._comeback.parentElement.hidden = comeback === "";
  }

  _fill({ level, max }) {
    while (this._cells.childElementCount < max) this._cells.append(element("i"));
    while (this._cells.childElementCount > max) this._cells.lastElementChild.remove();
    [...this._cells.children].forEach((cell, index) => cell.classList.toggle("is-full", index < level));
  }
}
