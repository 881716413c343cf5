/** The page's audio context, with the worklets in it. */

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
  const loaded = Promise.all([context.resume(), ...modules]).then(() => undefined);
  return { context, loaded };
}

/** A telephone call or a locked screen takes the sound away, and not every browser gives it back. */
function wake(context) {
  if (context.state !== "running" && context.state !== "closed") context.resume().catch(() => {});
}

/** Worklets, like the microphone, exist on secure pages only. */
function unavailable() {
  return Promise.reject(new Error("Audio worklets are not available on this page"));
}
