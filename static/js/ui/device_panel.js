/** Where microphone, speaker and volume are chosen; in the lobby also where the microphone is tried. */

import { element, find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";

const SYSTEM = gettext("System default");

export class DevicePanel {
  /**
   * @param {HTMLElement} root
   * @param {object} options
   * @param {(device: import("../audio/devices.js").Wish) => void} options.onMicrophone
   * @param {(device: import("../audio/devices.js").Wish) => void} options.onSpeaker
   * @param {(volume: number) => void} options.onVolume  0 to 1
   * @param {(() => void) | null} options.onMoreSpeakers  null where the browser names them all
   */
  constructor(root, { onMicrophone, onSpeaker, onVolume, onMoreSpeakers }) {
    this._microphone = find("[data-device-microphone]", root);
    this._speaker = find("[data-device-speaker]", root);
    this._speakers = find("[data-device-speakers]", root);
    this._more = find("[data-device-more]", root);
    this._volume = find("[data-device-volume]", root);
    this._percent = find("[data-device-percent]", root);
    this._unnamed = find("[data-device-unnamed]", root);
    this._hasMore = onMoreSpeakers !== null;
    this._more.hidden = !this._hasMore;
    this._microphone.addEventListener("change", () => onMicrophone(chosenIn(this._microphone)));
    this._speaker.addEventListener("change", () => onSpeaker(chosenIn(this._speaker)));
    this._volume.addEventListener("input", () => onVolume(this._volume.valueAsNumber / 100));
    if (onMoreSpeakers) this._more.addEventListener("click", onMoreSpeakers);
  }

  /** @param {import("../audio/call_devices.js").DeviceLists} lists */
  show({ microphones, speakers, microphone, speaker }) {
    fill(this._microphone, microphones, microphone);
    fill(this._speaker, speakers, speaker);
    this._speakers.hidden = speakers.length === 0 && !this._hasMore;
    this._unnamed.hidden = microphones.length > 0;
  }

  /** @param {number} volume  0 to 1 */
  showVolume(volume) {
    const percent = `${Math.round(volume * 100)} %`;
    this._volume.valueAsNumber = Math.round(volume * 100);
    this._volume.setAttribute("aria-valuetext", percent);
    setText(this._percent, percent);
  }
}

function chosenIn(select) {
  return select.value ? { id: select.value, label: select.selectedOptions[0].label } : null;
}

/** A list that is open is left alone while it says the same. */
function fill(select, devices, chosen) {
  const options = [{ id: "", label: SYSTEM }, ...devices];
  const shown = JSON.stringify(options);
  if (select.dataset.shown !== shown) {
    select.dataset.shown = shown;
    select.replaceChildren(...options.map(({ id, label }) => element("option", { value: id }, [label])));
  }
  select.value = chosen;
}
