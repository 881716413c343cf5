/** The history: times as the clock on the wall shows them, and summaries that appear when they are written. */

import { fetchDocument } from "../helpers/fetch_document.js";
import { foldOnSmallScreens } from "../ui/filter_fold.js";
import { showLocalTimes } from "../ui/local_times.js";

const FIRST_LOOK_MS = 2000;
const LONGEST_WAIT_MS = 30000;

/** Looks for the summary less and less often, and only while somebody looks at the page. */
function awaitSummary(waitMs) {
  setTimeout(async () => {
    const written = document.visibilityState === "visible" && (await writtenSummary());
    if (written) showSummary(written);
    else awaitSummary(Math.min(waitMs * 1.5, LONGEST_WAIT_MS));
  }, waitMs);
}

/** @returns {Promise<Element | null>}  null while it is not there, or cannot be asked for */
async function writtenSummary() {
  const page = await fetchDocument(location.pathname);
  return page?.querySelector('[data-summary]:not([data-summary="pending"])') ?? null;
}

function showSummary(summary) {
  const shown = document.querySelector("[data-summary]");
  shown.dataset.summary = summary.dataset.summary;
  shown.replaceChildren(...summary.children);
}

showLocalTimes(document);
for (const field of document.querySelectorAll("[data-time-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
const filters = document.querySelector("[data-filters]");
if (filters) foldOnSmallScreens(filters);
if (document.querySelector('[data-summary="pending"]')) awaitSummary(FIRST_LOOK_MS);
