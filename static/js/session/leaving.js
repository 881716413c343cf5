/**
 * A page that is left in the midst of its call: the browser asks first, and which call it was is kept for the next page.
 * That page cannot know from the server: it is asked for before this one has let go of its connection.
 */

import { remembered } from "../helpers/storage.js";

const KEY = "holdline:left-call";

/** @param {() => string | null} liveCall  the id of the call that goes on in this page */
export function watchLeaving(liveCall) {
  window.addEventListener("beforeunload", (event) => liveCall() !== null && event.preventDefault());
  window.addEventListener("pagehide", () => {
    const call = liveCall();
    if (call !== null) remembered.set(KEY, `${call} ${Date.now()}`);
  });
}

/**
 * @param {string} conversation  its id
 * @returns {number | null}  when a page of this browser left that call last, since the epoch
 */
export function leftHereAt(conversation) {
  const [call, atMs] = (remembered.get(KEY) ?? "").split(" ");
  return call === conversation && Number.isFinite(Number(atMs)) ? Number(atMs) : null;
}

/** To be called when a call goes on in this page. */
export function forgetLeftCall() {
  remembered.set(KEY, "");
}
