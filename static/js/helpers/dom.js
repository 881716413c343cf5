/** Small things about elements. */

/**
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 * @throws {Error} when the template and the script disagree
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`The page has no ${selector}`);
  return element;
}

/**
 * @param {string} tag
 * @param {{[attribute: string]: string}} [attributes]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, children = []) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * @param {string} name  of a symbol in the page's sprite
 * @returns {SVGElement}
 */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", `icon icon--${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Writes only what changed: a live region speaks again when its text is replaced by the same text. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** What a screen reader calls an element; empty for what stands on it. */
export function setName(node, name) {
  if (name) node.setAttribute("aria-label", name);
  else node.removeAttribute("aria-label");
}
