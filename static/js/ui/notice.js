/** A line that stays on the page until it is dismissed: errors, and what could not be saved. */

import { find, setText } from "../helpers/dom.js";

export class Notice {
  /** @param {HTMLElement} root  with a text in an assertive live region, and a button that dismisses it */
  constructor(root) {
    this._root = root;
    this._text = find("[data-notice-text]", root);
    find("[data-notice-close]", root).addEventListener("click", () => this.clear());
  }

  /** @param {string} text */
  show(text) {
    this._root.hidden = false;
    setText(this._text, text);
  }

  clear() {
    this._root.hidden = true;
    setText(this._text, "");
  }
}
