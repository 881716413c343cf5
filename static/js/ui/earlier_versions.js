/** Questions in whose place others were asked, with their answers: folded where they stand, each as an earlier version. */

import { gettext } from "../helpers/gettext.js";
import { element } from "../helpers/dom.js";
import { ROLE } from "../session/protocol.js";

/**
 * @param {{key: string, node: Element, role: string, withdrawn: boolean}[]} lines  in order
 * @param {Map<string, {fold: Element, nodes: Element[]}>} folds  of an earlier time, which are used again
 * @returns {{node: Element, withdrawn: boolean}[]}  the same lines, with one fold in the place of each question that was
 *   withdrawn and of what answered it
 */
export function folded(lines, folds) {
  const shown = [];
  const used = new Set();
  let open = null;
  for (const line of lines) {
    if (!line.withdrawn) {
      open = null;
      shown.push(line);
      continue;
    }
    if (open === null || line.role === ROLE.USER) {
      open = foldOf(line.key, folds);
      open.nodes = [];
      used.add(line.key);
      shown.push({ ...line, node: open.fold });
    }
    open.nodes.push(line.node);
  }
  for (const key of folds.keys()) if (!used.has(key)) folds.delete(key);
  return shown;
}

function foldOf(key, folds) {
  const known = folds.get(key);
  if (known) return known;
  const summary = element("summary", {}, [gettext("Earlier version")]);
  const fold = element("details", { class: "earlier-version" }, [summary]);
  const made = { fold, nodes: [] };
  folds.set(key, made);
  return made;
}
