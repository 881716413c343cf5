/** How long a file is, before any of it is sent, where the browser can tell. */

const PATIENCE_MS = 8_000;

/**
 * @param {File} file
 * @returns {Promise<number | null>}  ms; null where the browser knows nothing of such files, or takes too long
 */
export function lengthOf(file) {
  const audio = document.createElement("audio");
  const address = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      // Of a stream without a length nobody knows it before its end.
      resolve(Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration * 1000 : null);
      audio.removeAttribute("src");
      audio.load();
      URL.revokeObjectURL(address);
    };
    const timer = setTimeout(end, PATIENCE_MS);
    audio.preload = "metadata";
    audio.addEventListener("loadedmetadata", end, { once: true });
    audio.addEventListener("error", end, { once: true });
    audio.src = address;
  });
}
