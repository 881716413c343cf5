/**
 * The microphone: permission, capture, mute, and another device in the place of the present one. Frames come out as PCM16 at
 * 16 kHz, 40 ms each, and go on across devices: the worklet that makes them stays.
 */

const PROCESSING = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

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
  /** @param {"denied" | "missing" | "busy" | "insecure" | "no-output" | "unknown"} reason */
  constructor(reason, options) {
    super(`No sound: ${reason}`, options);
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
    this._wanted = 0;
    this._stream = null;
    this._source = null;
    this._node = null;
  }

  /** Whether there is a device that could be heard. */
  get isOpen() {
    return this._stream?.getAudioTracks()[0].readyState === "live";
  }

  /** What the browser calls the device that was opened last. */
  get label() {
    return this._stream?.getAudioTracks()[0].label ?? "";
  }

  /** Whether the user does not want to be heard. */
  get isMuted() {
    return this._muted;
  }

  /** Whether the system or the device itself has silenced it. */
  get isTrackMuted() {
    return this.isOpen && this._stream.getAudioTracks()[0].muted;
  }

  /**
   * Asks for a microphone. If one is open already, the new one takes its place as soon as it is there.
   *
   * @param {string} id  of the device; empty for the system's
   * @returns {Promise<boolean>}  whether it is that one: where it is gone, the system's is opened
   * @throws {MicrophoneError}  the one that was open may still be
   */
  async ask(id) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError("insecure");
    const wanted = ++this._wanted;
    const { stream, isOther } = await this._open(id);
    if (wanted === this._wanted) this._use(stream);
    else letGo(stream);
    return !isOther;
  }

  /** Firefox opens one microphone at a time: there the present one has to go first. */
  async _open(id) {
    try {
      return await openOr(id);
    } catch (error) {
      if (error.reason !== "busy" || !this.isOpen) throw error;
      letGo(this._stream);
      return await openOr(id);
    }
  }

  /**
   * Captures from now on. May be called again with another context.
   *
   * @param {AudioContext} context  with the capture worklet in it
   */
  start(context) {
    this._detach();
    this._node = new AudioWorkletNode(context, "holdline-capture", {
      numberOfInputs: 1,
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this._node.port.onmessage = ({ data }) => this._captured(data);
    if (this.isOpen) this._source = this._sourceOf(this._stream);
    this.setMuted(this._muted);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this._muted = muted;
    for (const track of this._stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this._node?.port.postMessage({ muted });
    if (muted) this._onLevel(0);
  }

  /** Throws away what was captured of a frame: it was not meant for what begins now. */
  beginAnew() {
    this._node?.port.postMessage({ muted: this._muted });
  }

  /** Lets go of the device. May be called twice. */
  stop() {
    this._wanted += 1;
    if (this._stream) letGo(this._stream);
    this._detach();
    this._stream = null;
  }

  _detach() {
    this._source?.disconnect();
    if (this._node) this._node.port.onmessage = null;
    this._source = this._node = null;
  }

  /** What has been captured of a frame stays in the worklet, and the new device's sound goes on behind it. */
  _use(stream) {
    const before = this._stream;
    const track = stream.getAudioTracks()[0];
    const source = this._node && this._sourceOf(stream);
    this._stream = stream;
    track.enabled = !this._muted;
    track.addEventListener("ended", () => this._stream === stream && this._onEnded());
    this._source?.disconnect();
    this._source = source;
    if (before) letGo(before);
  }

  /** Firefox refuses a device whose rate is not that of the context. */
  _sourceOf(stream) {
    try {
      const source = this._node.context.createMediaStreamSource(stream);
      source.connect(this._node);
      return source;
    } catch (error) {
      letGo(stream);
      throw new MicrophoneError("unknown", { cause: error });
    }
  }

  _captured({ pcm, level }) {
    // A frame that was on its way when the user muted is not sent.
    if (this._muted) return;
    this._onFrame(pcm);
    this._onLevel(level);
  }
}

/** @returns {Promise<{stream: MediaStream, isOther: boolean}>}  the system's device where the one that was wanted is gone */
async function openOr(id) {
  try {
    return { stream: await open(id), isOther: false };
  } catch (error) {
    if (!id || !isGone(error.cause)) throw error;
    return { stream: await open(""), isOther: true };
  }
}

/** An id that is only preferred is no more than a hint to Chromium, which may take another device. */
async function open(id) {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: id ? { ...PROCESSING, deviceId: { exact: id } } : PROCESSING });
  } catch (error) {
    throw new MicrophoneError(REASONS[error.name] ?? "unknown", { cause: error });
  }
}

/** Firefox says of a device that it is not found; others, which constraint could not be met. */
function isGone({ name }) {
  return name === "OverconstrainedError" || name === "NotFoundError";
}

function letGo(stream) {
  for (const track of stream.getTracks()) track.stop();
}
