/** Times as the clock on the wall shows them; the page comes with those of UTC. */

import { locale } from "../helpers/gettext.js";

const STYLES = {
  day: { dateStyle: "medium" },
  minute: { dateStyle: "medium", timeStyle: "short" },
  second: { timeStyle: "medium" },
};
/** @param {ParentNode} within */
export function showLocalTimes(within) {
  for (const time of within.querySelectorAll("[data-local-time]")) {
    const moment = new Date(time.dateTime);
    time.textContent = new Intl.DateTimeFormat(locale, STYLES[time.dataset.localTime]).format(moment);
    time.title = moment.toISOString();
  }
}
