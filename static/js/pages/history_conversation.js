/** One conversation of the history, as it is read: see `ui/read_transcript.js`. */

import { find } from "../helpers/dom.js";
import { FindBar } from "../ui/find_bar.js";
import { dressTranscript } from "../ui/read_transcript.js";

const log = document.querySelector("[data-log]");
if (log) {
  dressTranscript(log);
  const opener = find("[data-find-open]");
  opener.hidden = false;
  new FindBar({ bar: find("[data-find]"), opener, lines: log, onJump: () => {} });
  // Days and Markdown have moved what the address names.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}
