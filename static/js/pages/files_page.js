/** The page of files: what is chosen or dropped is uploaded, and stands in the list when it is there. */

import { fetchDocument } from "../helpers/fetch_document.js";
import { find } from "../helpers/dom.js";
import { Announcer } from "../ui/announcer.js";
import { DropZone } from "../ui/drop_zone.js";
import { showLocalTimes } from "../ui/local_times.js";
import { UploadList } from "../ui/upload_list.js";

const root = document.querySelector("[data-uploader]");

/** What is on its way already of this file: another of its name and size may be another recording. */
function begunLike(file) {
  const facts = [file.name, file.size, file.lastModified].join();
  const rows = [...document.querySelectorAll("[data-begun]")];
  const known = rows.find(({ dataset: { name, size, modified } }) => [name, size, modified].join() === facts);
  known?.remove();
  return known && { id: known.dataset.begun, received: Number(known.dataset.received) };
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
  const input = find("[data-choose]", root);
  const uploads = new UploadList(find("[data-uploads]"), {
    address: root.dataset.uploader,
    csrf: find("[name=csrfmiddlewaretoken]", root).value,
    keep: true,
    atOnce: Number(root.dataset.atOnce),
    leftOut: find("[data-left-out]"),
    announcer: new Announcer(find("[data-announcer]")),
    begunLike,
    lastFocus: input,
    onDone: showWhatIsThere,
  });
  input.addEventListener("change", () => {
    uploads.take([...input.files]);
    input.value = "";
  });
  new DropZone(root, (files) => uploads.take(files));
  document.addEventListener("click", cancelBegun);
  root.hidden = false;
}
