/** A part of the page onto which files can be dropped. */

export class DropZone {
  /**
   * @param {HTMLElement} zone
   * @param {(files: File[]) => void} onFiles
   */
  constructor(zone, onFiles) {
    this._zone = zone;
    zone.addEventListener("dragenter", (event) => this._offer(event));
    zone.addEventListener("dragover", (event) => this._offer(event));
    zone.addEventListener("dragleave", (event) => {
      if (!zone.contains(event.relatedTarget)) this._show(false);
    });
    zone.addEventListener("drop", (event) => {
      this._show(false);
      // A zone within this one may have taken them.
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      onFiles([...event.dataTransfer.files]);
    });
  }

  _offer(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this._show(true);
  }

  _show(isOver) {
    this._zone.toggleAttribute("data-over", isOver);
  }
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
