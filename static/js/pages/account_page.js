/** The account pages: what is typed as a password can be looked at, what was refused is gone to, times are local. */

import { showLocalTimes } from "../ui/local_times.js";

for (const button of document.querySelectorAll("[data-show-password]")) {
  const input = document.getElementById(button.dataset.showPassword);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}

showLocalTimes(document);
document.querySelector('[aria-invalid="true"]')?.focus();
