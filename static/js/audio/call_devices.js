/**
 * Which microphone and which speaker a call uses: those that were chosen, for as long as they are there, else the system's.
 * Follows what is plugged in and out.
 *
 * @typedef {import("./devices.js").Device} Device
 * @typedef {import("./devices.js").Wish} Wish
 *
 * @typedef {object} DeviceLists
 * @property {Device[]} microphones  empty until the browser may name them
 * @property {Device[]} speakers
 * @property {string} microphone  the id of the chosen one that is there, empty for the system's
 * @property {string} speaker
 */

import { canChooseSpeaker } from "./output.js";
import { changeOf, devicesOf, foundDevice, goneText, MICROPHONE, refusedText, SPEAKER, systemDefault } from "./devices.js";

export class CallDevices {
  /**
   * @param {object} options
   * @param {import("./microphone.js").Microphone} options.microphone
   * @param {import("./speaker.js").Speaker} options.speaker
   * @param {{microphone: Wish, speaker: Wish}} options.wishes  what was chosen in an earlier visit
   * @param {(lists: DeviceLists) => void} options.onChange
   * @param {(text: string) => void} options.onTold  a sentence about a device that is not the one that was wished for
   * @param {() => void} options.onLost  there is no microphone any more
   * @param {() => void} options.onFound  there is one again
   */
  constructor({ microphone, speaker, wishes, onChange, onTold, onLost, onFound }) {
    this._microphone = microphone;
    this._speaker = speaker;
    this._wishes = { [MICROPHONE]: wishes.microphone, [SPEAKER]: wishes.speaker };
    this._onChange = onChange;
    this._onTold = onTold;
    this._onLost = onLost;
    this._onFound = onFound;
    /** @type {import("./devices.js").Info[]} */
    this._infos = [];
    this._used = { [MICROPHONE]: { wished: "", key: null }, [SPEAKER]: { wished: "", key: null } };
    this._toldGone = { [MICROPHONE]: "", [SPEAKER]: "" };
    this._isOn = false;
    this._isLost = false;
    /** One thing at a time: what is plugged in comes with several events. */
    this._turn = Promise.resolve();
    navigator.mediaDevices?.addEventListener("devicechange", () => this._next(() => this._follow()));
    this._next(() => this._look());
  }

  /**
   * Opens the microphone.
   *
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async open() {
    this._isOn = true;
    this._isLost = false;
    this._toldGone = { [MICROPHONE]: "", [SPEAKER]: "" };
    await this._ask(foundDevice(devicesOf(this._infos, MICROPHONE), this._wishes[MICROPHONE])?.id ?? "");
    // Only now may the browser name the devices.
    await this._next(() => this._follow());
  }

  /** From now on no microphone is opened, whatever is plugged in. */
  close() {
    this._isOn = this._isLost = false;
  }

  /** Opens the microphone again, where nothing comes from it; if that cannot be, it is lost. */
  async reopen() {
    await this._next(() => this._replace({ isGone: false }));
  }

  /** To be called when the speaker can be heard. */
  async openSpeaker() {
    this._used[SPEAKER].wished = "";
    await this._next(() => this._followSpeaker());
  }

  /** The microphone that was used went away. */
  ended() {
    this._next(() => this._replace({ isGone: true }));
  }

  /**
   * @param {Wish} device
   * @returns {Promise<boolean>}  whether it is used from now on; else nothing has changed
   */
  chooseMicrophone(device) {
    return this._choose(MICROPHONE, device, async () => {
      if (this._isLost) await this._replace({ isGone: false });
      else if (this._microphone.isOpen) await this._ask(device?.id ?? "");
    });
  }

  /** The same for the speaker. */
  chooseSpeaker(device) {
    return this._choose(SPEAKER, device, async () => {
      if (!(await this._speaker.choose(device?.id ?? ""))) throw new Error("The speaker was refused");
      this._used[SPEAKER].wished = device?.id ?? "";
    });
  }

  /** @returns {boolean}  whether the browser asks by itself which speakers a page may have */
  get asksForSpeakers() {
    return canChooseSpeaker() && "selectAudioOutput" in (navigator.mediaDevices ?? {});
  }

  /** @returns {Promise<Device>}  one more speaker, about which the browser asks; rejected when nobody chooses one */
  async askForSpeaker() {
    const { deviceId, label } = await navigator.mediaDevices.selectAudioOutput();
    await this._next(() => this._look());
    return { id: deviceId, label };
  }

  /** Whether there was a microphone, and is none. */
  get isLost() {
    return this._isLost;
  }

  /** @returns {Promise<boolean>}  whether there is a microphone again after it was lost */
  async findAgain() {
    await this._next(() => this._isLost && this._replace({ isGone: false }));
    return !this._isLost;
  }

  async _choose(kind, device, use) {
    const before = this._wishes[kind];
    this._wishes[kind] = device;
    const isUsed = await this._next(async () => {
      try {
        await use();
        return true;
      } catch {
        this._wishes[kind] = before;
        this._onTold(refusedText(kind, device?.label ?? ""));
        if (kind === MICROPHONE && !this._microphone.isOpen) await this._replace({ isGone: false });
        return false;
      }
    });
    this._toldGone[kind] = "";
    this._show();
    return isUsed;
  }

  async _ask(id) {
    if (!this._isOn) return;
    const isThat = await this._microphone.ask(id);
    this._used[MICROPHONE] = { wished: isThat ? id : "", key: systemDefault(this._infos, MICROPHONE)?.key ?? null };
  }

  async _follow() {
    await this._look();
    if (this._isLost && devicesOf(this._infos, MICROPHONE).length > 0) await this._replace({ isGone: false });
    else if (this._microphone.isOpen) await this._followMicrophone();
    await this._followSpeaker();
  }

  async _followMicrophone() {
    const used = this._used[MICROPHONE];
    // Before it may name the devices, the browser does not say either which one is the system's.
    used.key ??= systemDefault(this._infos, MICROPHONE)?.key ?? null;
    const change = changeOf(this._infos, MICROPHONE, this._wishes[MICROPHONE], used);
    this._tellGone(MICROPHONE);
    if (change === null) return;
    try {
      await this._ask(change.opens);
      if (change.device === null) this._used[MICROPHONE].wished = "";
    } catch {
      // The present one goes on; if it has gone, its track says so.
    }
  }

  /** The system's own speaker is followed by the browser. */
  async _followSpeaker() {
    const change = changeOf(this._infos, SPEAKER, this._wishes[SPEAKER], this._used[SPEAKER]);
    this._tellGone(SPEAKER);
    if (change !== null && (await this._speaker.choose(change.opens))) this._used[SPEAKER].wished = change.opens;
  }

  /** The one that was wished for, if it can be had; else any. */
  async _replace({ isGone }) {
    const label = this._microphone.label;
    await this._look();
    const found = foundDevice(devicesOf(this._infos, MICROPHONE), this._wishes[MICROPHONE]);
    for (const id of new Set([found?.id ?? "", ""])) {
      try {
        await this._ask(id);
        if (isGone && !id) this._onTold(goneText(MICROPHONE, label));
        this._replacedBy(id);
        return;
      } catch {
        // The next one, if there is any.
      }
    }
    if (!this._isLost) this._onLost();
    this._isLost = true;
  }

  _replacedBy(id) {
    const wasLost = this._isLost;
    this._isLost = false;
    this._toldGone[MICROPHONE] = id ? "" : (this._wishes[MICROPHONE]?.id ?? "");
    if (wasLost) this._onFound();
  }

  /** Once for each time that it goes. */
  _tellGone(kind) {
    const wish = this._wishes[kind];
    const isGone = foundDevice(devicesOf(this._infos, kind), wish) === undefined;
    const gone = isGone ? wish.id : "";
    if (gone && gone !== this._toldGone[kind]) this._onTold(goneText(kind, wish.label));
    this._toldGone[kind] = gone;
  }

  async _look() {
    try {
      this._infos = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    } catch {
      this._infos = [];
    }
    this._show();
  }

  _show() {
    const microphones = devicesOf(this._infos, MICROPHONE);
    const speakers = canChooseSpeaker() ? devicesOf(this._infos, SPEAKER) : [];
    this._onChange({
      microphones,
      speakers,
      microphone: foundDevice(microphones, this._wishes[MICROPHONE])?.id ?? "",
      speaker: foundDevice(speakers, this._wishes[SPEAKER])?.id ?? "",
    });
  }

  _next(work) {
    const done = this._turn.then(work);
    this._turn = done.catch(() => {});
    return done;
  }
}
