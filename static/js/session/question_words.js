/** What is said of a question about recordings until its reply begins. Pure. */

import { gettext, interpolate } from "../helpers/gettext.js";
import { sizeWords } from "../recordings/words.js";
import { QUESTION_STATE } from "./protocol.js";

/**
 * @param {{state: string, recording: string | null, sent_bytes: number, size_bytes: number}} question
 * @param {import("./messages.js").AttachedRecording[]} recordings  of the conversation
 * @returns {string}  empty when there is nothing to say
 */
export function questionWords({ state, recording, sent_bytes: sent, size_bytes: size }, recordings) {
  const name = recordings.find(({ id }) => id === recording)?.name ?? gettext("The recording");
  switch (state) {
    case QUESTION_STATE.WAITING:
      return gettext("Waits for its turn");
    case QUESTION_STATE.UPLOADING:
      if (!size) return interpolate(gettext("%(name)s is on its way to Google"), { name });
      return interpolate(gettext("%(name)s is on its way to Google: %(sent)s of %(size)s"), { name, sent: sizeWords(sent), size: sizeWords(size) });
    case QUESTION_STATE.PROCESSING:
      return interpolate(gettext("Google prepares %(name)s"), { name });
    case QUESTION_STATE.ASKED:
      return gettext("Gemini listens to it");
    case QUESTION_STATE.RETRYING:
      return gettext("Something went wrong on the way. It is tried again");
    default:
      return "";
  }
}
