/** Blocks of code in what the model writes: each says its language and can be copied, and is highlighted when it is whole. */

import { element } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { copyButton } from "./copy_button.js";

/** Beyond it a block stays as it is: it would hold up the page. */
export const LONGEST_HIGHLIGHTED_CHARACTERS = 20_000;
const LANGUAGE = /^language-([\w+#.-]{1,20})$/;

/** @param {ParentNode} root  with `pre` and `code` as Markdown makes them; changed in place */
export function dressCode(root) {
  for (const block of root.querySelectorAll("pre")) {
    const code = block.querySelector("code");
    const language = LANGUAGE.exec(code?.className ?? "")?.[1].toLowerCase() ?? "";
    if (language) code.dataset.language = language;
    // What is wider than the page scrolls by itself, and then the keyboard has to reach it.
    block.setAttribute("tabindex", "0");
    block.setAttribute("dir", "ltr");
    const head = element("figcaption", { class: "code__head" }, [
      element("span", {}, [language || gettext("Code")]),
      copyButton(() => block.textContent, gettext("Copy"), gettext("Copy code")),
    ]);
    const figure = element("figure", { class: "code" }, [head]);
    block.replaceWith(figure);
    figure.append(block);
  }
  for (const node of root.querySelectorAll("code[class]")) node.removeAttribute("class");
}

/** @param {ParentNode} root  what `dressCode` has changed. Without the network the code stays as it is. */
export async function highlightCode(root) {
  const isShort = ({ textContent }) => textContent.length <= LONGEST_HIGHLIGHTED_CHARACTERS;
  const blocks = [...root.querySelectorAll("code[data-language]")].filter(isShort);
  if (blocks.length === 0) return;
  try {
    const { highlighted } = await import("./highlighter.js");
    for (const block of blocks) {
      const marked = highlighted(block.textContent, block.dataset.language);
      if (marked) block.replaceChildren(marked);
    }
  } catch {
    // It can be read all the same.
  }
}
