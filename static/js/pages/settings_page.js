/** The page of settings: it can be saved while something is not, and what was refused is gone to, voices can be listened to. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { VoicePlayer } from "../ui/voice_player.js";

const form = find("[data-settings]");
const bar = find("[data-save]");
const discard = find("[data-discard]");
const asLoaded = values();
const wasRefused = "unsaved" in form.dataset;

function values() {
  return new URLSearchParams(new FormData(form)).toString();
}

/** What was refused is not saved, whether or not it is changed again. */
function showBar() {
  const isChanged = wasRefused || values() !== asLoaded;
  bar.hidden = !isChanged;
  setText(find("[data-unsaved-word]"), isChanged ? gettext("Not saved yet") : "");
}

bar.classList.add("settings__save--bar");
discard.hidden = wasRefused;
form.addEventListener("input", showBar);
form.addEventListener("reset", () => setTimeout(showBar));
showBar();
const listen = form.querySelector("[data-listen]");
if (listen) new VoicePlayer(listen, form);
document.querySelector('[aria-invalid="true"]')?.focus();
