/**
 * A page as an inert document. `fetch` gives text, and making a document out of text is what Trusted Types forbid.
 *
 * @param {string} path
 * @returns {Promise<Document | null>}  null if it cannot be had
 */
export function fetchDocument(path) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(request.status === 200 ? request.response : null));
    request.open("GET", path);
    request.setRequestHeader("Accept", "text/html");
    request.send();
  });
}
