/** Web storage that may be switched off or full: then nothing is remembered, and nothing breaks. */

/**
 * @param {Storage | null} area
 * @param {string} key
 * @returns {string | null}
 */
function read(area, key) {
  try {
    return area.getItem(key);
  } catch {
    return null;
  }
}

function write(area, key, value) {
  try {
    if (value) area.setItem(key, value);
    else area.removeItem(key);
  } catch {
    // Nothing depends on it being remembered.
  }
}

/** `localStorage` itself throws where cookies are blocked, so it is looked up at each use. */
function area(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}

/** Kept for this browser. */
export const remembered = {
  get: (key) => read(area("localStorage"), key),
  set: (key, value) => write(area("localStorage"), key, value),
};

/** Kept for this tab. */
export const draft = {
  get: (key) => read(area("sessionStorage"), key),
  set: (key, value) => write(area("sessionStorage"), key, value),
};

/**
 * A choice made in this browser, for as long as the setting that it departs from stays as it was. Choices of earlier
 * versions have no setting beside them: it was "on".
 */
export const choice = {
  /**
   * @param {string} key
   * @param {string} setting  what counts without a choice
   * @returns {string}
   */
  get(key, setting) {
    const [value, departedFrom = "on"] = (remembered.get(key) ?? "").split(" from ");
    return value && departedFrom === setting ? value : setting;
  },
  set: (key, setting, value) => remembered.set(key, value === setting ? "" : `${value} from ${setting}`),
};
