/** The colours of every page in this browser, at the foot of a page: as the system has them, light or dark. */

import { find } from "../helpers/dom.js";

const YEAR_S = 365 * 24 * 3600;
const themes = find("[data-themes]");

themes.addEventListener("change", ({ target }) => {
  keep(target.value);
  show(target.value);
});

/** In a cookie, so that the server sends the next page with these colours, and nothing flashes. */
function keep(theme) {
  const { setting } = themes.dataset;
  const age = theme === setting ? 0 : YEAR_S;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}.${setting}; path=/; max-age=${age}; samesite=lax${secure}`;
}

/** As the server would have sent the page: `_parts/colours.html`. */
function show(theme) {
  const root = document.documentElement;
  if (theme === "device") delete root.dataset.theme;
  else root.dataset.theme = theme;
  find("meta[name=color-scheme]").content = theme === "device" ? "light dark" : theme;
  for (const bar of document.querySelectorAll("meta[name=theme-color]")) {
    const own = theme === "device" ? bar : find(`meta[name=theme-color][media*=${theme}]`);
    bar.content = own.dataset.own;
  }
}
