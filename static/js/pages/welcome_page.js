/** The start page of visitors: a rehearsed talk whose plug can be pulled. */

import { find } from "../helpers/dom.js";
import { RehearsalView } from "../ui/rehearsal_view.js";

const root = find("[data-rehearsal]");
const view = new RehearsalView(root);

if (matchMedia("(prefers-reduced-motion: reduce)").matches) view.showEnd();
else {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    view.start();
  }, { threshold: 0.4 });
  seen.observe(root);
}
