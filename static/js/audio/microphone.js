/**
 * The microphone: permission, capture, mute. Frames come out as PCM16 at 16 kHz, 40 ms each.
 */

const CONSTRAINTS = {
  audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};

/** Why there is no microphone, in a word that the page has a text for. */
const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class MicrophoneError extends Error {
  /** @param {"denied" | "missing" | "busy" | "insecure" | "unknown"} reason */
  constructor(reason, options) {
    super(`No microphone: ${reason}`, options);
    this.name = "MicrophoneError";
    this.reason = reason;
  }
}

export class Microphone {
  /**
   * @param {object} options
   * @param {(pcm: Int16Array) => void} options.onFrame
   * @param {(level: number) => void} options.onLevel  0 to 1, for each frame
   * @param {() => void} options.onEnded  the device went away
   */
  constructor({ onFrame, onLevel, onEnded }) {
    this._onFrame = onFrame;
    this._onLevel = onLevel;
    this._onEnded = onEnded;
    this._muted = false;
    this._stream = null;
    this._source = null;
    this._node = null;
  }

  /**
   * Asks for the microphone. Nothing is captured yet.
   *
   * @throws {MicrophoneError}
   */
  async ask() {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError("insecure");
    try {
      this._stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
    } catch (error) {
      throw new MicrophoneError(REASONS[error.name] ?? "unknown", { cause: error });
    }
    this._stream.getAudioTracks()[0].addEventListener("ended", () => this._onEnded());
  }

  /**
   * Captures from now on.
   *
   * @param {AudioContext} context  with the capture worklet in it
   */
  start(context) {
    this._node = new AudioWorkletNode(context, "holdline-capture", {
      numberOfInputs: 1,
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this._node.port.onmessage = ({ data }) => this._captured(data);
    this._source = context.createMediaStreamSource(this._stream);
    this._source.connect(this._node);
    this.setMuted(this._muted);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this._muted = muted;
    for (const track of this._stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this._node?.port.postMessage({ muted });
    if (muted) this._onLevel(0);
  }

  /** Lets go of the device. May be called twice. */
  stop() {
    for (const track of this._stream?.getTracks() ?? []) track.stop();
    this._source?.disconnect();
    if (this._node) this._node.port.onmessage = null;
    this._stream = this._source = this._node = null;
  }

  _captured({ pcm, level }) {
    // A frame that was on its way when the user muted is not sent.
    if (this._muted) return;
    this._onFrame(pcm);
    this._onLevel(level);
  }
}
