/** What is said of a question about recordings until its reply begins. Pure. */

import { sizeWords } from "../recordings/words.js";
import { QUESTION_STATE } from "./protocol.js";

/**
 * @param {{state: string, recording: string | null, sent_bytes: number, size_bytes: number}} question
 * @param {import("./messages.js").AttachedRecording[]} recordings  of the conversation
 * @returns {string}  empty when there is nothing to say
 */
export function questionWords({ state, recording, sent_bytes: sent, size_bytes: size }, recordings) {
  const name = recordings.find(({ id }) => id === recording)?.name ?? "The recording";
  switch (state) {
    case QUESTION_STATE.WAITING:
      return "Waits for its turn";
    case QUESTION_STATE.UPLOADING:
      return size ? `${name} is on its way to Google: ${sizeWords(sent)} of ${sizeWords(size)}` : `${name} is on its way to Google`;
    case QUESTION_STATE.PROCESSING:
      return `Google prepares ${name}`;
    case QUESTION_STATE.ASKED:
      return "Gemini listens to it";
    case QUESTION_STATE.RETRYING:
      return "Something went wrong on the way. It is tried again";
    default:
      return "";
  }
}
