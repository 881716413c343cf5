/**
 * What the page does when its connection closes, by close code. Pure.
 *
 * @typedef {"reconnect" | "login" | "taken" | "stop" | "end"} CloseAction
 */

import { gettext } from "../helpers/gettext.js";
import { CLOSE } from "./protocol.js";

/** @type {{action: CloseAction, text: string}} */
const RECONNECT = { action: "reconnect", text: "" };

/** After those that do not lead to a new connection, it would only be closed again. */
const VERDICTS = new Map([
  [CLOSE.HUNG_UP, { action: "end", text: "" }],
  [CLOSE.DRAINING, RECONNECT],
  [
    CLOSE.MALFORMED,
    { action: "stop", text: gettext("The server did not understand this page. Reload it to get the current version.") },
  ],
  [CLOSE.NOT_LOGGED_IN, { action: "login", text: gettext("You are logged out.") }],
  [CLOSE.NOT_YOURS, { action: "stop", text: gettext("This conversation belongs to somebody else.") }],
  [CLOSE.NO_START, RECONNECT],
  [CLOSE.OPENED_ELSEWHERE, { action: "taken", text: gettext("This conversation was opened in another place.") }],
  [CLOSE.TOO_LARGE, { action: "stop", text: gettext("That was too large to send.") }],
  [CLOSE.TOO_MUCH, { action: "stop", text: gettext("Too much was sent in a short time. Wait a moment, then try again.") }],
  [CLOSE.OUR_FAULT, RECONNECT],
]);

/** The `error` before a close for which the close code alone would say too little. */
const TOO_MANY_PAGES = "limit.sockets";

/** Of a link that takes a conversation over. */
export const TICKET_REFUSED = "hand_over.invalid";

/**
 * @param {number} code  of the close event
 * @param {string} [error]  the code of the fatal `error` before it, if there was one
 * @returns {{action: CloseAction, text: string}}  `text` is for the user, and empty when there is nothing to say
 */
export function verdictOnClose(code, error = "") {
  if (error === TOO_MANY_PAGES) {
    return { action: "stop", text: gettext("Too many of your pages are open. Close some of them, then reload this one.") };
  }
  if (error === TICKET_REFUSED) {
    const text = gettext("This link was used already, or is older than two minutes. Make a new one on the other device.");
    return { action: "stop", text };
  }
  // All others (1006, 1011, 1012, ...) are faults of the network or of a server that died.
  return VERDICTS.get(code) ?? RECONNECT;
}
