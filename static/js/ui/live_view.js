/**
 * What both conversation pages show of a live session: the line's state, the transcript, energy, toasts and notices. Facts
 * that style sheets and tests go by stand as data attributes on the document's root.
 */

import { find } from "../helpers/dom.js";
import { gettext, interpolate, ngettext } from "../helpers/gettext.js";
import { byOwnClock, duration } from "../helpers/time.js";
import { MODE, ROLE, SERVER_MESSAGE, STATE } from "../session/protocol.js";
import { AUDIO_REFUSED, EARLIER_UNAVAILABLE, waitingFor } from "../session/session_state.js";
import { Captions } from "../session/captions.js";
import { incidentOf, isToldByIncident } from "../session/incident.js";
import { activityOf, reasonText, statusOf } from "../session/status_words.js";
import { Announcer } from "./announcer.js";
import { EarlierMessages } from "./earlier_messages.js";
import { EnergyMeter } from "./energy_meter.js";
import { Notice } from "./notice.js";
import { StatusLine } from "./status_line.js";
import { StickToBottom } from "./stick_to_bottom.js";
import { Toaster } from "./toast.js";
import { TranscriptView } from "./transcript_view.js";

const COUNTDOWN_MS = 500;
/** Errors that somebody else deals with, or that need nobody. */
const HANDLED_ERRORS = [AUDIO_REFUSED, EARLIER_UNAVAILABLE];
const root = document.documentElement.dataset;

export class LiveView {
  /**
   * @param {object} options
   * @param {"text" | "call"} options.mode
   * @param {(action: import("../session/status_words.js").StatusAction) => void} options.onAction
   * @param {(text: string, recordings: string[]) => void} options.onSendAgain
   * @param {(text: string) => void} options.onQuote  what was said and is to be written about
   * @param {() => void} [options.onEdit]  the last question is to be written anew
   * @param {() => void} [options.onAnswerAgain]  another answer to it is wanted
   * @param {(wish: { again: boolean }) => void} options.onEarlier  somebody wants to read what was said before the first line
   * @param {import("../pages/conversation_recordings.js").ConversationRecordings} options.recordings
   */
  constructor({ mode, onAction, onSendAgain, onQuote, onEdit, onAnswerAgain, onEarlier, recordings }) {
    this._mode = mode;
    this._onAction = onAction;
    const announcer = new Announcer(find("[data-announcer]"));
    this._statusLine = new StatusLine({ announcer, onAction: (action) => this._act(action) });
    /** What is wrong, and since when. */
    this._incident = { what: "", since: 0 };
    this._transcript = new TranscriptView(find("[data-transcript]"), {
      onSendAgain,
      onQuote,
      onEdit,
      onAnswerAgain,
      onPlay: (id, atMs) => recordings.playFrom(id, atMs),
      factsOf: (id) => recordings.factsOf(id),
    });
    this._scroll = new StickToBottom(find("[data-scroller]"), find("[data-to-latest]"), () => this._transcript.hasLines);
    this._earlier = new EarlierMessages(find("[data-transcript]"), { onWanted: onEarlier });
    this._energy = new EnergyMeter(find("[data-energy]"));
    this._toaster = new Toaster(find("[data-toasts]"), find("[data-toasts-assertive]"));
    this._notice = new Notice(find("[data-notice]"));
    this._captions = new Captions({ isAloud: mode === MODE.CALL });
    this._state = null;
    const interrupts = root.wantedInterruptions === "on";
    this._page = { playing: false, muted: false, held: false, mode, interrupts, hasKeys: false, heldBack: false, dismissedLevel: null };
    this._peak = 0;
    this._drawing = false;
    setInterval(() => this._isCounting() && this._showStatus(), COUNTDOWN_MS);
  }

  /** @param {import("../session/session_state.js").SessionState} state */
  show(state) {
    this._state = state;
    root.state = state.phase;
    root.waiting = waitingFor(state);
    root.conversation = state.conversation ?? "";
    root.action = state.action ?? "";
    this._showStatus();
    this._energy.show(state.energy);
    this._drawSoon();
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this._page.muted = muted;
    this._showStatus();
  }

  /** @param {boolean} on  single keys do something; a finger has none */
  setKeys(on) {
    this._page.hasKeys = on && !matchMedia("(hover: none) and (pointer: coarse)").matches;
    this._showStatus();
  }

  /** @param {boolean} held  something else has the sound of this machine */
  setHeld(held) {
    this._page.held = held;
    this._showStatus();
  }

  /** @param {import("../audio/speaker.js").PlaybackReport} report */
  showPlayback({ playing, heldBack, playedMs, queuedMs, level, heard, latencyMs }) {
    this._captions.played(heard && { number: heard.number, ms: heard.ms - latencyMs });
    this._transcript.markHeard(this._captions);
    this._peak = playing && !this._page.playing ? level : Math.max(this._peak, level);
    root.playedMs = String(playedMs);
    root.queuedMs = String(queuedMs);
    root.outputLevel = level.toFixed(3);
    root.outputPeak = this._peak.toFixed(3);
    if (playing === this._page.playing && heldBack === this._page.heldBack) return;
    Object.assign(this._page, { playing, heldBack });
    this._showStatus();
  }

  /**
   * Sound of a reply that is to be heard: its words are marked as they are.
   *
   * @param {Int16Array} pcm
   * @param {number} number  of the frame
   */
  willPlay(pcm, number) {
    this._captions.sound(pcm, number);
  }

  /** @param {{type: string}} message  of the server */
  receive(message) {
    if (message.type === SERVER_MESSAGE.TOAST && !isToldByIncident(message.code)) {
      this._toaster.show({ ...message, text: byOwnClock(message.text, message.until, Date.now()) });
    }
    if (message.type === SERVER_MESSAGE.ERROR && !HANDLED_ERRORS.includes(message.code)) {
      this._notice.show(message.text || gettext("Something went wrong."));
    }
    if (message.type === SERVER_MESSAGE.TURN && message.role === ROLE.MODEL) this._captions.text(message);
    if (message.type === SERVER_MESSAGE.GENERATION_COMPLETE) this._captions.whole();
    if (message.type === SERVER_MESSAGE.TURN_COMPLETE || message.type === SERVER_MESSAGE.FLUSH) this._captions.over();
    if (message.type === SERVER_MESSAGE.LOST) this._notice.show(lostText(message));
  }

  /** @param {number} ms  of audio that the page could not keep */
  showAudioLost(ms) {
    this._notice.show(lostText({ ms, ids: [] }));
  }

  /** @param {string} text */
  showNotice(text) {
    this._notice.show(text);
  }

  clearNotice() {
    this._notice.clear();
  }

  /** Goes to the newest line, as after sending. */
  toLatest() {
    this._scroll.hold();
  }

  /** Stays where the reader is, whatever comes below. */
  letGo() {
    this._scroll.letGo();
  }

  _act(action) {
    if (action === "dismiss") this._page.dismissedLevel = this._state.energy.level;
    else this._onAction(action);
    this._showStatus();
  }

  _showStatus() {
    if (!this._state) return;
    root.turnState = activityOf(this._state, this._page.playing);
    const status = statusOf(this._state, this._page, { pageMs: performance.now(), wallMs: Date.now() });
    this._statusLine.show(status, this._lastingIncident(status));
  }

  /** A step further down is worth another word. */
  _lastingIncident(status) {
    if (this._state.energy?.level !== this._page.dismissedLevel) this._page.dismissedLevel = null;
    const incident = incidentOf(this._state, status, this._page, Date.now());
    const what = incident?.what ?? "";
    if (what !== this._incident.what) this._incident = { what, since: performance.now() };
    const leftMs = incident ? incident.afterMs - (performance.now() - this._incident.since) : 0;
    if (leftMs <= 0) return incident;
    setTimeout(() => this._showStatus(), leftMs);
    return null;
  }

  _isCounting() {
    const { retryAt, lineEndsAt, phase } = this._state ?? { retryAt: null, lineEndsAt: null };
    return retryAt !== null || lineEndsAt !== null || phase === STATE.EXHAUSTED;
  }

  /** A reply grows many times a second; the screen shows it at most once a frame. */
  _drawSoon() {
    if (this._drawing) return;
    this._drawing = true;
    requestAnimationFrame(() => {
      this._drawing = false;
      this._scroll.keeping(this._transcript.firstLine, () => {
        this._transcript.show(this._state, this._captions);
        this._earlier.show(this._state);
      });
      root.turns = String(this._state.turns.length);
      this._scroll.follow();
    });
  }
}

function lostText({ ms, ids, reason }) {
  const parts = [];
  if (ms > 0) parts.push(interpolate(gettext("%(time)s of what you said could not be saved."), { time: duration(ms) }));
  const count = ids?.length ?? 0;
  const messages = ngettext("One message was not delivered.", "%(count)s messages were not delivered.", count);
  if (count > 0) parts.push(interpolate(messages, { count }));
  const why = reasonText(reason ?? "");
  if (why) parts.push(why);
  return parts.join(" ") || gettext("Something you said could not be saved.");
}
