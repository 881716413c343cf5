/**
 * A button that shows a box and hides it again: by the button, by one in the box, by Escape, and by whatever happens elsewhere.
 */

import { find } from "../helpers/dom.js";

export class Disclosure {
  /**
   * @param {HTMLElement} root  with a button that has `aria-expanded` and `aria-controls`, and the box it names, which has a
   *   `[data-close]`
   * @param {object} options
   * @param {() => void} options.onOpen  before the box is seen
   */
  constructor(root, { onOpen }) {
    this._root = root;
    this._onOpen = onOpen;
    this._button = find("[aria-expanded]", root);
    this._box = find(`#${this._button.getAttribute("aria-controls")}`, root);
    this._button.addEventListener("click", () => (this._box.hidden ? this.open() : this.close()));
    find("[data-close]", this._box).addEventListener("click", () => this._leave());
    root.addEventListener("keydown", (event) => this._onKey(event));
    root.addEventListener("focusout", (event) => this._closeFor(event.relatedTarget));
    document.addEventListener("pointerdown", (event) => this._closeFor(event.target));
  }

  open() {
    this._onOpen();
    this._set(true);
  }

  close() {
    this._set(false);
  }

  _set(open) {
    this._box.hidden = !open;
    this._button.setAttribute("aria-expanded", String(open));
  }

  _onKey(event) {
    if (event.key !== "Escape" || this._box.hidden) return;
    event.stopPropagation();
    this._leave();
  }

  _leave() {
    this.close();
    this._button.focus();
  }

  /** Focus that goes nowhere, as when a finger touches the box, is not elsewhere. */
  _closeFor(target) {
    if (target && !this._root.contains(target)) this.close();
  }
}
