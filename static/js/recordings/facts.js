/** Recordings as the server describes them, each asked for once. */

const KEPT = 100;

export class RecordingFacts {
  /** @param {string} address  of all of them */
  constructor(address) {
    this._address = address;
    /** @type {Map<string, Promise<object | null>>} */
    this._facts = new Map();
  }

  /**
   * @param {string} id
   * @returns {Promise<object | null>}  null where it cannot be had; then it is asked for again the next time
   */
  of(id) {
    const known = this._facts.get(id) ?? this._ask(id);
    this._facts.set(id, known);
    if (this._facts.size > KEPT) this._facts.delete(this._facts.keys().next().value);
    return known;
  }

  async _ask(id) {
    const answer = await fetch(`${this._address}${encodeURIComponent(id)}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    const facts = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!facts) this._facts.delete(id);
    return facts;
  }
}
