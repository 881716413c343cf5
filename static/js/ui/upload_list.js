/** Files on their way, as lines of a list: as many at once as the server takes of a user, the others wait for their turn. */

import { setText } from "../helpers/dom.js";
import { FileUpload } from "../recordings/file_upload.js";
import { lengthOf } from "../recordings/measure.js";
import { nextToStart, taken } from "../recordings/plan.js";
import { leftOutWords, lengthWords, progressWords } from "../recordings/words.js";
import { UploadRow } from "./upload_row.js";

const GOES_ON = ["waiting", "sending", "torn", "paused"];
const IS_OVER = ["done", "refused", "cancelled"];

export class UploadList {
  /**
   * @param {HTMLElement} list
   * @param {object} options
   * @param {string} options.address  of uploads
   * @param {string} options.csrf  the page's token against forged requests
   * @param {boolean} options.keep  whether recordings stay without a conversation
   * @param {number} options.atOnce  as many as the server takes of a user
   * @param {HTMLElement} options.leftOut  says when not all files are taken
   * @param {import("./announcer.js").Announcer} options.announcer
   * @param {(recording: object) => void} options.onDone  a file is there; as the server describes the recording
   * @param {() => void} [options.onChange]  lines have come, gone, or are otherwise
   * @param {(file: File) => {id: string, received: number} | undefined} [options.begunLike]  what the server has of it
   * @param {boolean} [options.dropsDone]  whether a line goes when its file is there
   * @param {HTMLElement} [options.lastFocus]  has the focus when no line is left that could have it
   */
  constructor(list, options) {
    this._list = list;
    this._options = { onChange: () => {}, begunLike: () => undefined, dropsDone: false, lastFocus: null, ...options };
    /** @type {FileUpload[]} */
    this._uploads = [];
    addEventListener("online", () => this._uploads.forEach((upload) => upload.hurry()));
    addEventListener("beforeunload", (event) => this.goesOn && event.preventDefault());
  }

  /** Whether anything would be interrupted if the page went. */
  get goesOn() {
    return this._uploads.some(({ state }) => GOES_ON.includes(state));
  }

  /** How many files are not there yet, and may still come. */
  get coming() {
    return this._uploads.filter(({ state }) => !IS_OVER.includes(state)).length;
  }

  /** How many lines there are. */
  get count() {
    return this._uploads.length;
  }

  /** @param {File[]} files */
  take(files) {
    const count = taken(files.length, this._uploads.length);
    setText(this._options.leftOut, leftOutWords(files.length, count));
    for (const file of files.slice(0, count)) this._add(file);
    this._startNext();
    this._options.onChange();
  }

  _add(file) {
    const { address, csrf, keep, begunLike } = this._options;
    const row = new UploadRow(file.name, {
      onPause: () => upload.pause(),
      onContinue: () => upload.start(),
      onCancel: () => upload.cancel(),
      onClose: () => this._close(upload, row),
    });
    const onChange = (changed) => this._show(changed, row);
    const upload = new FileUpload(file, { address, csrf, keep, begun: begunLike(file), onChange });
    this._list.append(row.element);
    row.show(upload);
    this._uploads.push(upload);
    lengthOf(file).then((ms) => ms !== null && row.setAbout(lengthWords(ms)));
  }

  _show(upload, row) {
    const before = row.element.dataset.state;
    row.show(upload);
    if (IS_OVER.includes(upload.state)) this._startNext();
    if (upload.state === before) return;
    this._options.announcer.say(`${upload.name}: ${progressWords(upload)}`);
    if (upload.state === "done") {
      if (this._options.dropsDone) this._close(upload, row);
      this._options.onDone(upload.recording);
    }
    this._options.onChange();
  }

  _startNext() {
    const place = nextToStart(this._uploads, this._options.atOnce);
    if (place < 0) return;
    this._uploads[place].start();
    this._startNext();
  }

  /** The focus goes to the next line, if this one had it. */
  _close(upload, row) {
    const place = this._uploads.indexOf(upload);
    if (place >= 0) this._uploads.splice(place, 1);
    const hadFocus = row.element.contains(document.activeElement);
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.element.remove();
    if (hadFocus) (next?.querySelector("button:not([hidden])") ?? this._options.lastFocus)?.focus();
    this._options.onChange();
  }
}
