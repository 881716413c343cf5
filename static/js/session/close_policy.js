/**
 * What the page does when its connection closes, by close code. Pure.
 *
 * @typedef {"reconnect" | "login" | "taken" | "stop" | "end"} CloseAction
 */

/** Codes after which a new connection would only be closed again. */
const FINAL = new Map([
  [1000, { action: "end", text: "" }],
  [4400, { action: "stop", text: "The server did not understand this page. Reload it to get the current version." }],
  [4401, { action: "login", text: "You are logged out." }],
  [4403, { action: "stop", text: "This conversation belongs to somebody else." }],
  [4409, { action: "taken", text: "This conversation was opened in another place." }],
  [4413, { action: "stop", text: "That was too large to send." }],
  [4429, { action: "stop", text: "Too much was sent in a short time. Wait a moment, then try again." }],
]);

/**
 * @param {number} code  of the close event
 * @returns {{action: CloseAction, text: string}}  `text` is for the user, and empty when there is nothing to say
 */
export function verdictOnClose(code) {
  // All others (1006, 1011, 1012, 4012, 4408, 4500, ...) are faults of the network or of one worker.
  return FINAL.get(code) ?? { action: "reconnect", text: "" };
}
