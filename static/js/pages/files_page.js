/** The page of files: what is chosen or dropped is uploaded, and stands in the list when it is there. */

import { fetchDocument } from "../helpers/fetch_document.js";
import { find, setText } from "../helpers/dom.js";
import { FileUpload } from "../recordings/file_upload.js";
import { nextToStart, taken } from "../recordings/plan.js";
import { leftOutWords, progressWords } from "../recordings/words.js";
import { Announcer } from "../ui/announcer.js";
import { DropZone } from "../ui/drop_zone.js";
import { showLocalTimes } from "../ui/local_times.js";
import { UploadRow } from "../ui/upload_row.js";

const root = document.querySelector("[data-uploader]");
/** @type {FileUpload[]} */
const uploads = [];

/** What is on its way already of this file: another of its name and size may be another recording. */
function begunLike(file) {
  const facts = [file.name, file.size, file.lastModified].join();
  const rows = [...document.querySelectorAll("[data-begun]")];
  return rows.find(({ dataset: { name, size, modified } }) => [name, size, modified].join() === facts);
}

function take(files, announcer) {
  const list = find("[data-uploads]");
  const count = taken(files.length, uploads.length);
  setText(find("[data-left-out]"), leftOutWords(files.length, count));
  for (const file of files.slice(0, count)) {
    const row = new UploadRow(file.name, {
      onPause: () => upload.pause(),
      onContinue: () => upload.start(),
      onCancel: () => upload.cancel(),
      onClose: () => close(upload, row),
    });
    const known = begunLike(file);
    const upload = new FileUpload(file, {
      address: root.dataset.uploader,
      csrf: find("[name=csrfmiddlewaretoken]", root).value,
      keep: true,
      begun: known && { id: known.dataset.begun, received: Number(known.dataset.received) },
      onChange: (changed) => show(changed, row, announcer),
    });
    known?.remove();
    list.append(row.element);
    row.show(upload);
    uploads.push(upload);
  }
  startNext();
}

function show(upload, row, announcer) {
  const before = row.element.dataset.state;
  row.show(upload);
  if (upload.state !== before) announcer.say(`${upload.name}: ${progressWords(upload)}`);
  if (upload.state === "done" && before !== "done") showWhatIsThere();
  if (["done", "refused", "cancelled"].includes(upload.state)) startNext();
}

function startNext() {
  const place = nextToStart(uploads, Number(root.dataset.atOnce));
  if (place < 0) return;
  uploads[place].start();
  startNext();
}

function close(upload, row) {
  uploads.splice(uploads.indexOf(upload), 1);
  const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
  row.element.remove();
  (next?.querySelector("button:not([hidden])") ?? find("[data-choose]", root)).focus();
}

/** The list and the quota as the server has them now; what is being played goes on. */
async function showWhatIsThere() {
  if ([...document.querySelectorAll("[data-files] audio")].some((audio) => !audio.paused)) return;
  const fresh = (await fetchDocument(location.href))?.querySelector("[data-files]");
  if (!fresh) return;
  showLocalTimes(fresh);
  find("[data-files]").replaceChildren(...fresh.childNodes);
}

function cancelBegun(event) {
  const begun = event.target.closest("[data-cancel-begun]")?.closest("[data-begun]");
  if (!begun) return;
  const headers = { "X-CSRFToken": find("[name=csrfmiddlewaretoken]", root).value };
  fetch(`${root.dataset.uploader}${begun.dataset.begun}/`, { method: "DELETE", headers }).then(
    ({ ok, status }) => {
      if (ok || status === 404) begun.remove();
    },
    () => {},
  );
}

showLocalTimes(document);
if (root) {
  const announcer = new Announcer(find("[data-announcer]"));
  const input = find("[data-choose]", root);
  input.addEventListener("change", () => {
    take([...input.files], announcer);
    input.value = "";
  });
  new DropZone(root, (files) => take(files, announcer));
  document.addEventListener("click", cancelBegun);
  addEventListener("online", () => uploads.forEach((upload) => upload.hurry()));
  addEventListener("beforeunload", (event) => {
    if (uploads.some(({ state }) => ["waiting", "sending", "torn", "paused"].includes(state))) event.preventDefault();
  });
  root.hidden = false;
}
