/**
 * All sound of one call: opens the microphone and the loudspeaker from one gesture, and lets go of both.
 */

import { openAudioContext } from "./audio_context.js";
import { Microphone } from "./microphone.js";
import { Speaker } from "./speaker.js";

export class CallAudio {
  /**
   * @param {object} options
   * @param {string[]} options.workletUrls
   * @param {(pcm: Int16Array) => void} options.onFrame
   * @param {(level: number) => void} options.onLevel
   * @param {() => void} options.onMicrophoneLost
   * @param {(report: import("./speaker.js").PlaybackReport) => void} options.onReport
   * @param {(heard: {number: number, ms: number}) => void} options.onHeard
   */
  constructor({ workletUrls, onFrame, onLevel, onMicrophoneLost, onReport, onHeard }) {
    this._workletUrls = workletUrls;
    this._context = null;
    this.speaker = new Speaker({ onReport, onHeard });
    this.microphone = new Microphone({ onFrame, onLevel, onEnded: onMicrophoneLost });
  }

  /**
   * Must be called from a gesture. Sound is captured from the moment this is done.
   *
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async start() {
    const { context, loaded } = openAudioContext(this._workletUrls);
    this._context = context;
    try {
      // The worklets load while the user reads the browser's question.
      await Promise.all([this.microphone.ask(), loaded]);
    } catch (error) {
      loaded.catch(() => {});
      this.stop();
      throw error;
    }
    this.microphone.start(context);
    this.speaker.start(context);
  }

  /**
   * Opens the microphone again after the device went away.
   *
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async restartMicrophone() {
    this.microphone.stop();
    await this.microphone.ask();
    this.microphone.start(this._context);
  }

  /** May be called twice. */
  stop() {
    this.microphone.stop();
    this.speaker.stop();
    this._context?.close();
    this._context = null;
  }
}
