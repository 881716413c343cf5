/** Single keys that do something on the page, except where the user types. */

const TYPING = "input, textarea, select, [contenteditable], dialog";

/**
 * @param {string} key  in lower case
 * @param {() => boolean} isWanted
 * @param {() => void} run
 */
export function onShortcut(key, isWanted, run) {
  document.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
    if (!plain || event.key.toLowerCase() !== key || event.target.closest?.(TYPING) || !isWanted()) return;
    event.preventDefault();
    run();
  });
}
