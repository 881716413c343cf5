/** A conversation of the history that has recordings: they can be heard, and times in answers play from there. */

import { find } from "../helpers/dom.js";
import { RecordingFacts } from "../recordings/facts.js";
import { PlayerDock } from "../ui/player_dock.js";
import { playerOf } from "../ui/recording_player.js";
import { linkTimes, playedBy } from "../ui/time_links.js";

const transcript = find("[data-recordings-url]");
const { recordingsUrl, filesUrl } = transcript.dataset;
const facts = new RecordingFacts(recordingsUrl);
const known = new Map();

for (const root of transcript.querySelectorAll(".player[data-recording]")) {
  const { recording: id, name, lengthMs } = root.dataset;
  known.set(id, { id, name, lengthMs: Number(lengthMs) });
  playerOf(root);
}
for (const turn of transcript.querySelectorAll('.turn[data-role="model"][data-about]')) {
  const about = turn.dataset.about.split(" ").map((id) => known.get(id) ?? { id, name: "", lengthMs: -1 });
  linkTimes(find(".turn__body", turn), about, filesUrl);
}
const dock = new PlayerDock(find("[data-dock]", transcript), { factsOf: (id) => facts.of(id), onChange: () => {} });
transcript.addEventListener("click", (event) => playedBy(event, (id, atMs) => dock.playFrom(id, atMs)));
