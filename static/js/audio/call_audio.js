/**
 * All sound of one call: opens the microphone and the loudspeaker from one gesture, and lets go of both. Before the call the
 * microphone can be tried alone.
 */

import { openAudioContext, wake } from "./audio_context.js";
import { CallDevices } from "./call_devices.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { SoundWatch } from "./sound_watch.js";
import { Speaker } from "./speaker.js";

const LOOK_MS = 500;
/** After so long with a microphone and without a sound that runs there is no speaker. */
const START_LIMIT_MS = 5000;

export class CallAudio {
  /**
   * @param {object} options
   * @param {string[]} options.workletUrls
   * @param {{microphone: import("./devices.js").Wish, speaker: import("./devices.js").Wish, volume: number}} options.wishes
   * @param {(pcm: Int16Array) => void} options.onFrame  of the call; not while the microphone is tried
   * @param {(level: number) => void} options.onLevel
   * @param {(problem: import("./sound_watch.js").SoundProblem) => void} options.onProblem  when it changes
   * @param {(report: import("./speaker.js").PlaybackReport) => void} options.onReport
   * @param {(heard: {number: number, ms: number}) => void} options.onHeard
   * @param {(lists: import("./call_devices.js").DeviceLists) => void} options.onDevices
   * @param {(text: string) => void} options.onTold  a sentence about a device
   * @param {() => void} options.onMicrophoneLost
   * @param {() => void} options.onMicrophoneFound
   */
  constructor({ workletUrls, wishes, onFrame, onLevel, onProblem, onReport, onHeard, onDevices, onTold, onMicrophoneLost, onMicrophoneFound }) {
    this._workletUrls = workletUrls;
    this._onFrame = onFrame;
    this._onProblem = onProblem;
    this._context = null;
    /** @type {Promise<void> | null} */
    this._opened = null;
    this._isTrying = false;
    this._watch = null;
    this._looks = null;
    this._problem = "";
    this.speaker = new Speaker({ onReport, onHeard });
    this.speaker.setVolume(wishes.volume);
    this.microphone = new Microphone({ onFrame: (pcm) => this._captured(pcm), onLevel, onEnded: () => this.devices.ended() });
    this.devices = new CallDevices({
      microphone: this.microphone,
      speaker: this.speaker,
      wishes,
      onChange: onDevices,
      onTold,
      onLost: onMicrophoneLost,
      onFound: onMicrophoneFound,
    });
  }

  /**
   * Opens the microphone to look at its level. Must be called from a gesture.
   *
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async try() {
    this._isTrying = true;
    this.microphone.setMuted(false);
    await this._open();
  }

  /**
   * Must be called from a gesture. Sound is captured from the moment this is done.
   *
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async start() {
    await this._open();
    this._isTrying = false;
    this.microphone.beginAnew();
    this.speaker.start(this._context);
    await this.devices.openSpeaker();
  }

  /** Opens all of it again, where no sound comes though everything is open. Must be called from a gesture. */
  async restart() {
    const before = this._context;
    const { context, loaded } = openAudioContext(this._workletUrls);
    await loaded;
    if (this._context !== before) {
      context.close();
      return;
    }
    this.speaker.stop();
    before.close();
    this._begin(context);
    this.speaker.start(context);
    await this.devices.reopen();
    await this.devices.openSpeaker();
  }

  /** To be called from a gesture, without which some browsers do not give the sound back. */
  wake() {
    if (this._context) wake(this._context);
  }

  /** May be called twice. */
  stop() {
    clearInterval(this._looks);
    this.devices.close();
    this.microphone.stop();
    this.speaker.stop();
    this._context?.close();
    this._context = this._opened = null;
    this._isTrying = false;
    this._tell("");
  }

  /** Whoever tries the microphone and starts the call has it open already. */
  _open() {
    this._opened ??= this._openAnew();
    return this._opened;
  }

  async _openAnew() {
    const { context, loaded } = openAudioContext(this._workletUrls);
    this._context = context;
    try {
      // The worklets load while the user reads the browser's question.
      const opened = this.devices.open();
      await Promise.race([Promise.all([opened, loaded]), opened.then(refuseLate)]);
    } catch (error) {
      loaded.catch(() => {});
      this.stop();
      throw error;
    }
    this._begin(context);
  }

  _begin(context) {
    this._context = context;
    this.microphone.start(context);
    this._watch = new SoundWatch();
    clearInterval(this._looks);
    this._looks = setInterval(() => this._look(), LOOK_MS);
    context.addEventListener("statechange", () => this._look());
  }

  _captured(pcm) {
    this._watch.heard();
    if (!this._isTrying) this._onFrame(pcm);
  }

  _look() {
    if (this._context === null || this._context.state === "closed") return;
    const { isMuted, isTrackMuted } = this.microphone;
    const facts = { context: this._context.state, isTrackMuted, isWanted: !isMuted };
    this._tell(this._watch.look(performance.now(), facts));
  }

  _tell(problem) {
    if (problem === this._problem) return;
    this._problem = problem;
    this._onProblem(problem);
  }
}

/** A context without a speaker never begins to run, and does not say so either. */
async function refuseLate() {
  await new Promise((resolve) => setTimeout(resolve, START_LIMIT_MS));
  throw new MicrophoneError("no-output");
}
