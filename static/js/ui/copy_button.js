/** A button that copies a text and says so. */

import { element, icon, setName, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const CONFIRM_MS = 1600;

/**
 * @param {() => string | Promise<string>} getText  may fail, which is said
 * @param {string} label  what the button says
 * @param {string} [name]  what it is called for a screen reader, where that is more
 * @returns {HTMLElement}
 */
export function copyButton(getText, label, name = "") {
  const word = element("span", {}, [label]);
  const button = element("button", { type: "button", class: "copy" }, [icon("copy"), word]);
  const say = (text, called) => {
    setText(word, text);
    setName(button, called);
  };
  say(label, name);
  button.addEventListener("click", async () => {
    say((await copied(getText)) ? gettext("Copied") : gettext("Not copied"), "");
    setTimeout(() => say(label, name), CONFIRM_MS);
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
