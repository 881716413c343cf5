/** The page of one recording: its player, the transcript that follows it, and how far the work on it is, while it goes on. */

import { fetchDocument } from "../helpers/fetch_document.js";
import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate, locale } from "../helpers/gettext.js";
import { Announcer } from "../ui/announcer.js";
import { showLocalTimes } from "../ui/local_times.js";
import { Passages } from "../ui/passages.js";
import { playerOf } from "../ui/recording_player.js";

const FIRST_LOOK_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
/** What expires is told by the minute and the hour. */
const GOOGLE_LOOK_MS = 60_000;
const GOING_ON = ["waiting", "working"];

const announcer = new Announcer(find("[data-announcer]"));
const passages = new Passages(find("[data-transcript]"), { onPlay: (atMs) => player.playFrom(atMs) });
const player = playerOf(find(".player"), { onTime: (atMs, isPlaying) => passages.show(atMs, isPlaying) });

const part = (name, page = document) => page.querySelector(`[data-live="${name}"]`);
const isGoingOn = () => GOING_ON.includes(part("work").dataset.work) || part("google").dataset.google === "coming";

/** Less and less often while nothing changes, and only while somebody looks at the page. */
function lookAgain(waitMs) {
  setTimeout(async () => {
    const fresh = document.visibilityState === "visible" ? await fetchDocument(location.pathname) : null;
    const hasChanged = fresh !== null && show(fresh);
    lookAgain(isGoingOn() ? (hasChanged ? FIRST_LOOK_MS : Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) : GOOGLE_LOOK_MS);
  }, waitMs);
}

/** @returns {boolean}  whether anything is otherwise */
function show(page) {
  const [work, freshWork] = [part("work"), part("work", page)];
  if (!freshWork) return false;
  const hasMore = freshWork.dataset.doneMs !== work.dataset.doneMs || freshWork.dataset.work !== work.dataset.work;
  const changed = ["work", "google"].filter((name) => replace(part(name), part(name, page)));
  if (!hasMore) return changed.length > 0;
  setText(find("[data-nothing]"), find("[data-nothing]", page).textContent);
  passages.refresh();
  const words = part("work").querySelector(".summary__note, .flash, h2");
  announcer.say(words.textContent.trim());
  return true;
}

/** Whoever has the focus in it keeps what they have. */
function replace(present, fresh) {
  prepare(fresh);
  if (present.isEqualNode(fresh) || present.contains(document.activeElement)) return false;
  present.replaceWith(fresh);
  return true;
}

function prepare(within) {
  showLocalTimes(within);
  const names = Intl.DisplayNames ? new Intl.DisplayNames(locale, { type: "language", fallback: "code" }) : null;
  for (const language of within.querySelectorAll("[data-language]")) {
    try {
      const name = names?.of(language.dataset.language) ?? language.dataset.language;
      setText(language, interpolate(gettext("Language: %(name)s"), { name }));
    } catch {
      // It is no tag of a language: it stays as the model said it.
    }
  }
}

/** A time in an answer leads here: `#t=` has seconds. */
function goToLinked() {
  const seconds = Number(/^#t=(\d+(?:\.\d+)?)$/.exec(location.hash)?.[1] ?? NaN);
  if (Number.isFinite(seconds)) player.seek(seconds * 1000);
}

prepare(document);
goToLinked();
addEventListener("hashchange", goToLinked);
lookAgain(isGoingOn() ? FIRST_LOOK_MS : GOOGLE_LOOK_MS);
