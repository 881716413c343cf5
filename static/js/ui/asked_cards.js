/** The recordings that a message asks about, below it: each can be unfolded to be heard. */

import { element, icon } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { lengthOnClock } from "../recordings/words.js";
import { RecordingPlayer } from "./recording_player.js";

const GONE = gettext("This recording cannot be had any more.");

export class AskedCards {
  /** @param {(recording: string) => Promise<object | null>} factsOf  null where it cannot be had */
  constructor(factsOf) {
    this.element = element("div", { class: "asked" });
    this._factsOf = factsOf;
    /** @type {Map<string, {node: HTMLElement, player: RecordingPlayer | null}>} */
    this._cards = new Map();
    this._shown = "";
  }

  /**
   * @param {{id: string, name: string, lengthMs: number}[]} recordings  without a name: the conversation has it no more
   * @param {string[]} opens  which are unfolded at first
   */
  show(recordings, opens) {
    const shown = JSON.stringify(recordings);
    if (shown === this._shown) return;
    this._shown = shown;
    for (const recording of recordings) {
      const card = this._cards.get(recording.id);
      if (card?.name === recording.name) continue;
      const made = this._make(recording, opens.includes(recording.id));
      if (card) card.node.replaceWith(made.node);
      else this.element.append(made.node);
      this._cards.set(recording.id, made);
    }
  }

  end() {
    for (const { player } of this._cards.values()) player?.end();
  }

  _make({ id, name, lengthMs }, isOpen) {
    if (!name) return { node: element("p", { class: "asked__gone" }, [icon("recording"), gettext("A recording that is here no more")]), name };
    const length = element("span", { class: "asked__length" }, [lengthOnClock(lengthMs)]);
    const summary = element("summary", {}, [icon("recording"), element("span", { class: "asked__name", dir: "auto" }, [name]), length]);
    const inside = element("div", { class: "asked__inside" });
    const node = element("details", { class: "asked__card" }, [summary, inside]);
    const card = { node, name, player: null };
    node.addEventListener("toggle", () => node.open && !card.player && this._fill(card, id, inside));
    node.open = isOpen;
    return card;
  }

  async _fill(card, id, inside) {
    const facts = await this._factsOf(id);
    if (card.player) return;
    if (!facts) {
      inside.replaceChildren(element("p", {}, [GONE]));
      return;
    }
    const root = element("div", { class: "player" });
    const { name, duration_ms: lengthMs, peaks, sound, page } = facts;
    card.player = new RecordingPlayer(root, { name, lengthMs, peaks, sound });
    const more = element("a", { href: page, target: "_blank", rel: "noopener" }, [gettext("Transcript and summary")]);
    inside.replaceChildren(root, more);
  }
}
