// A network that changes while a page loads can cost it a stylesheet, which no browser asks for again.

const PAUSES_MS = [0, 1_000, 5_000, 15_000];

for (const link of document.querySelectorAll('link[rel="stylesheet"]')) {
  if (!isThere(link.sheet)) askAgain(link, 0);
}

/** One that failed is null in some browsers, and one whose rules nobody may read in others. */
function isThere(sheet) {
  try {
    return Boolean(sheet?.cssRules);
  } catch {
    return false;
  }
}

/** Ask for a stylesheet until it comes, or all pauses are over. A copy is asked for: the same element keeps its failure. */
function askAgain(link, tries) {
  if (tries === PAUSES_MS.length) return;
  setTimeout(() => {
    const copy = link.cloneNode();
    copy.addEventListener("error", () => askAgain(copy, tries + 1));
    link.replaceWith(copy);
  }, PAUSES_MS[tries]);
}
