/** A button that copies a text and says so. */

import { element, icon, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const CONFIRM_MS = 1600;

/**
 * @param {() => string | Promise<string>} getText  may fail, which is said
 * @param {string} label  what the button says
 * @param {string} [about]  what only a screen reader needs to hear besides
 * @returns {HTMLElement}
 */
export function copyButton(getText, label, about = "") {
  const word = element("span", {}, [label]);
  const hidden = element("span", { class: "visually-hidden" }, [about]);
  const button = element("button", { type: "button", class: "copy" }, [icon("copy"), word, hidden]);
  button.addEventListener("click", async () => {
    setText(word, (await copied(getText)) ? gettext("Copied") : gettext("Not copied"));
    setTimeout(() => setText(word, label), CONFIRM_MS);
  });
  return button;
}

/** The clipboard is missing on insecure pages and may be refused. */
async function copied(getText) {
  try {
    await navigator.clipboard.writeText(await getText());
    return true;
  } catch {
    return false;
  }
}
