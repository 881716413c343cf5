/** Where the sound of a node comes out: the system's speaker, or one that was chosen. */

/** @returns {boolean}  whether this browser lets a page choose */
export function canChooseSpeaker() {
  return "setSinkId" in AudioContext.prototype || "setSinkId" in HTMLMediaElement.prototype;
}

export class Output {
  /** @param {AudioNode} node  connected to nothing yet */
  constructor(node) {
    this._node = node;
    this._context = node.context;
    /** Firefox and Safari choose for media elements only: there the sound goes through one. @type {HTMLAudioElement | null} */
    this._element = null;
    this._node.connect(this._context.destination);
  }

  /**
   * @param {string} id  of the speaker; empty for the system's
   * @returns {Promise<boolean>}  whether it is heard there; else it is heard where it was
   */
  async choose(id) {
    try {
      if (this._context.setSinkId) await this._context.setSinkId(id);
      else if (id) await this._throughElement(id);
      else this._direct();
      return true;
    } catch {
      return false;
    }
  }

  /** May be called twice. */
  stop() {
    this._direct();
    this._node.disconnect();
  }

  async _throughElement(id) {
    const element = this._element ?? new Audio();
    await element.setSinkId(id);
    if (this._element) return;
    const stream = this._context.createMediaStreamDestination();
    element.srcObject = stream.stream;
    await element.play();
    this._element = element;
    this._node.disconnect();
    this._node.connect(stream);
  }

  _direct() {
    if (!this._element) return;
    this._element.pause();
    this._element.srcObject = null;
    this._element = null;
    this._node.disconnect();
    this._node.connect(this._context.destination);
  }
}
