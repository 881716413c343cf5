/** Has an ephemeral token made, and shows it this once: it is nowhere else, and goes with the page. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { post } from "../helpers/post.js";
import { refusalText, tokenText } from "../session/token_words.js";
import { copyButton } from "./copy_button.js";

export class TokenMaker {
  /** @param {HTMLElement} root  with the address in `data-url` */
  constructor(root) {
    this._root = root;
    this._button = find("[data-token-create]", root);
    this._made = find("[data-token-made]", root);
    this._token = find("[data-token]", root);
    this._said = find("[data-token-said]", root);
    const copy = copyButton(() => this._token.value, gettext("Copy"), gettext("Copy the token"));
    copy.classList.add("button");
    find("[data-token-copy]", root).append(copy);
    this._button.addEventListener("click", () => this._create());
    this._token.addEventListener("focus", () => this._token.select());
  }

  async _create() {
    this._button.disabled = true;
    this._show("", gettext("One moment …"));
    try {
      const answer = await post(this._root.dataset.url, this._root);
      const body = await answer.json().catch(() => null);
      if (answer.ok && body?.token) this._show(body.token, tokenText(body));
      else this._show("", refusalText(answer.status, body, answer.headers.get("Retry-After")));
    } catch {
      this._show("", gettext("The server cannot be reached. Try again."));
    }
    this._button.disabled = false;
    (this._token.value ? this._token : this._button).focus();
  }

  _show(token, text) {
    this._token.value = token;
    this._made.hidden = token === "";
    setText(this._said, text);
  }
}
