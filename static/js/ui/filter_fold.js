/** Filters that take most of a small screen: folded there, unless one of them is set. The page comes with them unfolded. */

/** @param {HTMLDetailsElement} fold  with the number of those that are set */
export function foldOnSmallScreens(fold) {
  const wide = matchMedia("(width >= 40rem)");
  const arrange = () => (fold.open = wide.matches || fold.dataset.set !== "0");
  wide.addEventListener("change", arrange);
  arrange();
}
