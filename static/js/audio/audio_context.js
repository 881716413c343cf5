/** The page's audio context, with the worklets in it. */

/** Something else has the sound, such as a telephone call: whoever asks for it now is refused, and on iOS it may never come back. */
const INTERRUPTED = "interrupted";

/**
 * Opens a context at the device's own rate: Firefox refuses a microphone in a context of another rate.
 * Must be called from a gesture, or nothing is heard.
 *
 * @param {string[]} moduleUrls  of the worklets
 * @returns {{context: AudioContext, loaded: Promise<void>}}  `loaded`: nodes can be made
 */
export function openAudioContext(moduleUrls) {
  const context = new AudioContext({ latencyHint: "interactive" });
  context.addEventListener("statechange", () => wake(context));
  const modules = moduleUrls.map((url) => context.audioWorklet?.addModule(url) ?? unavailable());
  const awake = context.state === INTERRUPTED ? undefined : context.resume();
  const loaded = Promise.all([awake, ...modules]).then(() => undefined);
  return { context, loaded };
}

/**
 * A locked screen takes the sound away, and not every browser gives it back. After an interruption the context is suspended
 * or runs: both are told as a change of its state.
 *
 * @param {AudioContext} context
 */
export function wake(context) {
  if (context.state === "suspended") context.resume().catch(() => {});
}

/** Worklets, like the microphone, exist on secure pages only. */
function unavailable() {
  return Promise.reject(new Error("Audio worklets are not available on this page"));
}
