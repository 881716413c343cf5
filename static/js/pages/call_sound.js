/** The sound of the call page: its devices and what is remembered of them, the trial in the lobby, and what is wrong. */

import { CallAudio } from "../audio/call_audio.js";
import { QuietWatch } from "../audio/quiet_watch.js";
import { find, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { remembered } from "../helpers/storage.js";
import { DevicePanel } from "../ui/device_panel.js";
import { Disclosure } from "../ui/disclosure.js";
import { LevelMeter } from "../ui/level_meter.js";
import { SoundProblemLine, soundProblemText } from "../ui/sound_problem.js";

const MICROPHONE_KEY = "holdline:microphone";
const SPEAKER_KEY = "holdline:speaker";
const VOLUME_KEY = "holdline:volume";
const QUIET = gettext("Nothing is heard. Say something; if it stays like this, choose another microphone below.");

export class CallSound {
  /**
   * @param {object} options
   * @param {string[]} options.workletUrls
   * @param {(pcm: Int16Array) => void} options.onFrame
   * @param {(level: number) => void} options.onLevel  of the call's microphone
   * @param {(report: import("../audio/speaker.js").PlaybackReport) => void} options.onReport
   * @param {(heard: {number: number, ms: number}) => void} options.onHeard
   * @param {(isHeld: boolean) => void} options.onHeld  something else has the sound, or has it no more
   * @param {() => void} options.onLost  there is no microphone any more
   * @param {() => void} options.onFound  there is one again
   * @param {(error: Error) => void} options.onError  the microphone could not be opened; `null`: it could
   * @param {(text: string) => void} options.onTold  a sentence about a device, in the call
   */
  constructor({ workletUrls, onFrame, onLevel, onReport, onHeard, onHeld, onLost, onFound, onError, onTold }) {
    this._onLevel = onLevel;
    this._onHeld = onHeld;
    this._onError = onError;
    this._onTold = onTold;
    this._isInCall = false;
    this._isTrying = false;
    this._volume = volumeIn(remembered.get(VOLUME_KEY));
    this._told = find("[data-device-told]");
    this._device = find("[data-try-device]");
    /** What it names without a microphone being open: empty until the browser may name any. */
    this._deviceName = "";
    /** @type {QuietWatch | null}  while the microphone is tried */
    this._quiet = null;
    this._tryButton = find("[data-try]");
    this._tryMeter = new LevelMeter(find("[data-try-level]"));
    this._problemLine = new SoundProblemLine(find("[data-sound-problem]"), (problem) => this._mend(problem));
    this._panels = [];
    this._audio = new CallAudio({
      workletUrls,
      wishes: { microphone: wishIn(MICROPHONE_KEY), speaker: wishIn(SPEAKER_KEY), volume: this._volume },
      onFrame,
      onLevel: (level) => this._showLevel(level),
      onProblem: (problem) => this._showProblem(problem),
      onReport,
      onHeard,
      onDevices: (lists) => this._showDevices(lists),
      onTold: (text) => this._tell(text),
      onMicrophoneLost: onLost,
      onMicrophoneFound: onFound,
    });
    this._panels = [...document.querySelectorAll("[data-devices]")].map((root) => this._panelIn(root));
    this.setVolume(this._volume);
    new Disclosure(find("[data-call-devices]"), { onOpen: () => {} });
    this._tryButton.addEventListener("click", () => this._toggleTrial());
    document.addEventListener("visibilitychange", () => this._endTrialUnseen());
    for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, () => this._audio.wake());
  }

  get speaker() {
    return this._audio.speaker;
  }

  /** Whether there was a microphone, and is none. */
  get isLost() {
    return this._audio.devices.isLost;
  }

  /**
   * Must be called from a gesture.
   *
   * @throws {import("../audio/microphone.js").MicrophoneError}
   */
  async start() {
    this._isInCall = true;
    try {
      await this._audio.start();
    } catch (error) {
      this.stop();
      throw error;
    } finally {
      this._showTrial(false);
    }
  }

  /** May be called twice. */
  stop() {
    this._isInCall = false;
    this._audio.stop();
    this._showTrial(false);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this._audio.microphone.setMuted(muted);
  }

  /** @returns {Promise<boolean>}  whether there is a microphone again */
  findMicrophone() {
    return this._audio.devices.findAgain();
  }

  /** @param {number} volume  0 to 1 */
  setVolume(volume) {
    this._audio.speaker.setVolume(volume);
    for (const panel of this._panels) panel.showVolume(volume);
  }

  _panelIn(root) {
    const { devices } = this._audio;
    return new DevicePanel(root, {
      onMicrophone: (device) => this._choose(MICROPHONE_KEY, device, devices.chooseMicrophone(device)),
      onSpeaker: (device) => this._choose(SPEAKER_KEY, device, devices.chooseSpeaker(device)),
      onVolume: (volume) => this._chooseVolume(volume),
      onMoreSpeakers: devices.asksForSpeakers ? () => this._askForSpeaker() : null,
    });
  }

  async _choose(key, device, chosen) {
    this._tell("");
    if (await chosen) remembered.set(key, device && JSON.stringify(device));
  }

  async _askForSpeaker() {
    try {
      const device = await this._audio.devices.askForSpeaker();
      await this._choose(SPEAKER_KEY, device, this._audio.devices.chooseSpeaker(device));
    } catch {
      // Whoever closes the browser's question has chosen nothing.
    }
  }

  _chooseVolume(volume) {
    this.setVolume(volume);
    remembered.set(VOLUME_KEY, String(volume));
  }

  async _toggleTrial() {
    if (this._isTrying) {
      this.stop();
      return;
    }
    this._tryButton.disabled = true;
    this._tell("");
    try {
      await this._audio.try();
      this._onError(null);
      // The call may have been started meanwhile.
      this._showTrial(!this._isInCall);
      this._endTrialUnseen();
    } catch (error) {
      this._onError(error);
    } finally {
      this._tryButton.disabled = false;
    }
  }

  /** Nobody looks at the level any more. */
  _endTrialUnseen() {
    if (this._isTrying && document.visibilityState === "hidden") this.stop();
  }

  _showTrial(isTrying) {
    this._isTrying = isTrying;
    if (this._told.textContent === QUIET) setText(this._told, "");
    this._quiet = isTrying ? new QuietWatch(performance.now()) : null;
    this._showDevice();
    setText(this._tryButton, isTrying ? gettext("Stop trying") : gettext("Try the microphone"));
    this._tryMeter.show(0);
  }

  _showLevel(level) {
    if (this._isInCall) this._onLevel(level);
    else this._showTrialLevel(level);
  }

  _showTrialLevel(level) {
    this._tryMeter.show(level);
    if (this._quiet === null) return;
    const isQuiet = this._quiet.isQuiet(level, performance.now());
    if (isQuiet) this._tell(QUIET);
    else if (this._told.textContent === QUIET) this._tell("");
  }

  _showDevices(lists) {
    for (const panel of this._panels) panel.show(lists);
    const chosen = lists.microphones.find(({ id }) => id === lists.microphone)?.label;
    this._deviceName = lists.microphones.length > 0 ? (chosen ?? gettext("System default")) : "";
    this._showDevice();
  }

  _showDevice() {
    const name = this._audio.microphone.label || this._deviceName;
    setText(this._device, name && interpolate(gettext("Microphone: %(name)s"), { name }));
  }

  _showProblem(problem) {
    if (problem) this._showLevel(0);
    this._problemLine.show(problem);
    this._onHeld(problem === "held");
    if (!this._isInCall) this._tell(soundProblemText(problem));
  }

  async _mend(problem) {
    // Of a sound that is paused the press itself is enough.
    if (problem === "silent") await this._audio.restart();
  }

  /** In the lobby there is a place for it, which an empty text clears. */
  _tell(text) {
    if (!this._isInCall) setText(this._told, text);
    else if (text) this._onTold(text);
  }
}

function wishIn(key) {
  try {
    const { id, label } = JSON.parse(remembered.get(key));
    return typeof id === "string" && id ? { id, label: String(label) } : null;
  } catch {
    return null;
  }
}

/** A volume that nobody chose, or that is none, is the full one. */
function volumeIn(text) {
  const volume = Number(text ?? 1);
  return volume >= 0 && volume <= 1 ? volume : 1;
}
