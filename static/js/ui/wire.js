/** The picture of the line: it rises with the voice that is heard, and its lamp glows with the user's own. */
export class Wire {
  /** @param {SVGElement} root */
  constructor(root) {
    this._root = root;
  }

  /** @param {number} level  of what is played, 0 to 1 */
  showVoice(level) {
    this._root.style.setProperty("--voice", level.toFixed(3));
  }

  /** @param {number} level  of the microphone, 0 to 1 */
  showUser(level) {
    this._root.style.setProperty("--user", level.toFixed(3));
  }
}
