/** A table of texts. */

import { element } from "../helpers/dom.js";

/**
 * @param {string} caption
 * @param {string[]} head
 * @param {string[][]} rows  the first cell of each names it
 * @returns {HTMLElement}
 */
export function table(caption, head, rows) {
  const columns = head.map((word) => element("th", { scope: "col" }, [word]));
  return element("table", {}, [
    element("caption", {}, [caption]),
    element("thead", {}, [element("tr", {}, columns)]),
    element("tbody", {}, rows.map(rowOf)),
  ]);
}

function rowOf([name, ...cells]) {
  return element("tr", {}, [
    element("th", { scope: "row" }, [name]),
    ...cells.map((cell) => element("td", {}, [cell])),
  ]);
}
