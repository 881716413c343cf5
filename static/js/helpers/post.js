/** A request that changes something, with the page's token against forged ones. */

import { find } from "./dom.js";

/**
 * @param {string} url
 * @param {ParentNode} within  where the token stands
 * @returns {Promise<Response>}  rejected when the server cannot be reached
 */
export function post(url, within) {
  const csrf = find("[name=csrfmiddlewaretoken]", within).value;
  return fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
}
