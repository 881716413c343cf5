/** What the entry modules of both conversation pages share. */

import { TICKET_REFUSED } from "./close_policy.js";
import { SERVER_MESSAGE, STATE } from "./protocol.js";

/**
 * @param {string} path
 * @returns {string}  the address of the WebSocket beside this page
 */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/**
 * @returns {string | null}  the id in `?continue=`, of the conversation that this page is to go on with
 */
export function continuedConversation() {
  const id = new URLSearchParams(location.search).get("continue");
  return id && ID.test(id) ? id : null;
}

/** @returns {string | null}  the id in `?open=`, of the text chat that goes on in this page */
export function reopenedChat() {
  const id = new URLSearchParams(location.search).get("open");
  return id && ID.test(id) ? id : null;
}

/** @returns {string | null}  the ticket in `?take=`, of the conversation that this page takes over from another device */
export function ticketOfLink() {
  return new URLSearchParams(location.search).get("take");
}

/**
 * The conversation goes on in this page now: loading it again is to find it, not to continue the old one once more. A
 * ticket that was refused is of no use either.
 *
 * @param {{type: string}} message  of the server
 */
export function forgetContinued({ type, code }) {
  const query = new URLSearchParams(location.search);
  const isOver = type === SERVER_MESSAGE.READY || code === TICKET_REFUSED;
  if (!isOver || !["continue", "open", "take"].some((name) => query.has(name))) return;
  history.replaceState(history.state, "", location.pathname);
}

/**
 * @param {import("./live_session.js").LiveSession} session
 * @param {import("./status_words.js").StatusAction} action
 */
export function performAction(session, action) {
  if (action === "retry" || action === "try-again") session.retry();
  if (action === "leave") session.hangUp();
  if (action === "take-back" || action === "open-here") session.takeBack();
  if (action === "reload") location.reload();
}

/**
 * Tries again by itself when the server had given up and the page comes back into view or online.
 *
 * @param {import("./live_session.js").LiveSession} session
 */
export function onComeback(session) {
  const comeback = () => {
    if (session.state.phase === STATE.FAILED && document.visibilityState === "visible") session.retry();
  };
  window.addEventListener("online", comeback);
  document.addEventListener("visibilitychange", comeback);
}

/**
 * A new password, too, closes what is open in this browser, and the answer with its new cookie may still be on its way to
 * another tab: whoever came with the old one would lose both.
 */
const COOKIE_ON_ITS_WAY_MS = 1000;

/**
 * @param {import("./live_socket.js").LinkChange} change
 * @param {string} loginUrl
 */
export function redirectWhenLoggedOut({ link, action }, loginUrl) {
  if (link !== "closed" || action !== "login") return;
  const address = `${loginUrl}?next=${encodeURIComponent(location.pathname + location.search)}&closed=1`;
  setTimeout(() => location.assign(address), COOKIE_ON_ITS_WAY_MS);
}
