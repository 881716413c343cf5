/** The call: wires the page's parts to its session. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { choice } from "../helpers/storage.js";
import { talkLength } from "../helpers/time.js";
import { WakeLock } from "../helpers/wake_lock.js";
import { Elsewhere } from "../session/elsewhere.js";
import { forgetLeftCall, watchLeaving } from "../session/leaving.js";
import { LiveSession } from "../session/live_session.js";
import {
  continuedConversation,
  forgetContinued,
  onComeback,
  performAction,
  redirectWhenLoggedOut,
  socketUrl,
  ticketOfLink,
} from "../session/page_life.js";
import { LIMIT, MODE, ROLE, SERVER_MESSAGE, STATE, TOAST_LEVEL, TURN_STATE } from "../session/protocol.js";
import { reasonText } from "../session/status_words.js";
import { CallKeys } from "../ui/call_keys.js";
import { CallTimer } from "../ui/call_timer.js";
import { Composer } from "../ui/composer.js";
import { EarlierCallQuestion } from "../ui/earlier_call.js";
import { EndedCall } from "../ui/ended_call.js";
import { HandOverDialog } from "../ui/hand_over_dialog.js";
import { LeftCallOffer } from "../ui/left_call.js";
import { LevelMeter } from "../ui/level_meter.js";
import { LiveView } from "../ui/live_view.js";
import { PushToTalk } from "../ui/push_to_talk.js";
import { Wire } from "../ui/wire.js";
import { pauseRecording, PLAYING_CHANGED } from "../ui/recording_player.js";
import { CallSound } from "./call_sound.js";
import { ConversationRecordings } from "./conversation_recordings.js";

const CAPTIONS_KEY = "holdline:captions";
const ENDED_TITLES = { [STATE.ENDED]: gettext("Call ended"), taken: gettext("Call moved"), stopped: gettext("Call stopped") };
/** After so long without a microphone it is said what the page waits for. */
const START_PATIENCE_MS = 5000;
const START_WAITS = gettext("Still waiting for the microphone. If your browser asks for it, beside the address or in a box of its own, allow it.");
const OVER_THERE = gettext("The call on the other device is over.");
const MOVED = gettext("It goes on on your other device.");
const root = document.documentElement.dataset;

const startButton = find("[data-start]");
const continueButton = find("[data-continue]");
const startWaits = find("[data-start-waits]");
const muteButton = find("[data-mute]");
const captionsButton = find("[data-captions-toggle]");
const newCallButton = find("[data-new-call]");

const [beforeFirst, beforeNext] = ["lobby", "ended"].map(
  (place) => new EarlierCallQuestion(document.querySelector(`[data-earlier-call="${place}"]`)),
);
const leftCall = new LeftCallOffer(document.querySelector("[data-left-call]"), {
  title: find("[data-lobby-title]"),
  continueButton,
  startButton,
  inText: document.querySelector("[data-in-text]"),
});
const endedCall = new EndedCall(find("[data-ended-story]"));
const timer = new CallTimer(find("[data-timer]"));
const meter = new LevelMeter(find("[data-input-level]"));
const wire = new Wire(find("[data-wire]"));
const wakeLock = new WakeLock();
const recordings = new ConversationRecordings({
  onAttach: (id) => session.attach(id),
  onTakeBack: (id) => session.attachNot(id),
  onReturn: () => (inCall() ? composer.focus() : startButton.focus()),
});
const view = new LiveView({
  mode: MODE.CALL,
  recordings,
  onAction: act,
  onSendAgain: type,
  onQuote: (text) => composer.quote(text),
  onEarlier: (wish) => session.loadEarlier(wish),
});
const session = new LiveSession({
  url: socketUrl(root.wsPath),
  continues: continuedConversation(),
  takes: ticketOfLink(),
  onChange: showState,
  onMessage: received,
  onAudio: (pcm, number) => {
    view.willPlay(pcm, number);
    sound.speaker.play(pcm, number);
  },
  onAudioLost: (ms) => view.showAudioLost(ms),
});
const sound = new CallSound({
  workletUrls: [root.captureWorklet, root.playbackWorklet],
  onFrame: (pcm) => session.speak(pcm),
  onLevel: showLevel,
  onReport: showPlayback,
  onHeard: (heard) => session.tellHeard(heard),
  onHeld: (held) => hold("sound", held),
  onLost: loseMicrophone,
  onFound: findMicrophone,
  onError: showMicrophoneError,
  onTold: (text) => view.receive({ type: SERVER_MESSAGE.TOAST, code: "device", level: TOAST_LEVEL.INFO, text }),
});
const composer = new Composer(find("[data-composer]"), {
  draftKey: "holdline:call-draft",
  longest: LIMIT.TYPED_CHARACTERS,
  onSend: (text) => type(text, recordings.asked),
});
const elsewhere = new Elsewhere({ url: root.sessionUrl, mode: MODE.CALL, onOver: () => endWithout(OVER_THERE) });
const handOver = new HandOverDialog(find("[data-elsewhere-dialog]"));
const elsewhereButton = find("[data-elsewhere]");
/** Whether the microphone was open when it went away. */
let wasOpen = false;
/** What keeps the microphone from being heard: the system's sound that something else has, or a recording that plays. */
const holds = new Set();

/**
 * @param {boolean} fresh  a new call, not the one this page had before
 * @param {object} [calls]  ids
 * @param {string | null} [calls.goesOnFrom]  of an earlier call that a new one begins with
 * @param {string | null} [calls.continues]  of a call that was left, which goes on
 */
async function start(fresh, { goesOnFrom = null, continues = null } = {}) {
  startButton.disabled = continueButton.disabled = true;
  root.micError = "";
  const waits = setTimeout(() => setText(startWaits, START_WAITS), START_PATIENCE_MS);
  view.clearNotice();
  try {
    await sound.start();
  } catch (error) {
    showMicrophoneError(error);
    return;
  } finally {
    startButton.disabled = continueButton.disabled = false;
    clearTimeout(waits);
    setText(startWaits, "");
  }
  if (fresh) timer.reset();
  if (!fresh && session.hasReleased) {
    const { ticket } = await handOver.ask();
    if (!ticket) {
      endWithout(OVER_THERE);
      return;
    }
    session.takeWith(ticket);
  }
  leftCall.withdraw();
  session.open({ fresh, goesOnFrom, continues });
  root.stage = "call";
  recordings.moveTo(find(".live__foot"), find("[data-composer]"));
  setMuted(root.wantedMic === "muted");
  wakeLock.start();
  muteButton.focus();
}

/** @param {Error | null} error  null: the microphone is open */
function showMicrophoneError(error) {
  root.micError = error === null ? "" : (error.reason ?? "unknown");
  if (error === null) return;
  root.stage = "lobby";
  find(`[data-mic-problem="${root.micError}"]`).focus();
}

function end() {
  if (root.stage !== "call") return;
  pauseRecording();
  sound.stop();
  timer.stop();
  wakeLock.stop();
  handOver.close();
  root.stage = "ended";
  root.mic = "off";
  const { phase, reason } = session.state;
  newCallButton.classList.toggle("button--primary", phase !== "taken");
  setText(find("[data-ended-title]"), ENDED_TITLES[phase] ?? ENDED_TITLES[STATE.ENDED]);
  setText(find("[data-ended-duration]"), talkLength(timer.elapsedMs));
  setText(find("[data-ended-reason]"), session.hasReleased ? MOVED : reasonText(reason));
  askAboutNext();
  find("[data-ended]").focus();
}

/** A call that was moved can be taken back: then nothing is asked. One without a word leaves the call before. */
function askAboutNext() {
  const { phase, conversation, turns } = session.state;
  const wasSpoken = turns.some(({ role }) => role !== ROLE.SYSTEM);
  endedCall.show(wasSpoken && phase !== "taken" ? conversation : null);
  const ended = wasSpoken ? { conversation, endedMs: Date.now(), title: "" } : beforeFirst.offered;
  for (const question of [beforeFirst, beforeNext]) question.offer(phase === "taken" ? null : ended);
}

/** @param {string} reason  why the call cannot be taken back */
function endWithout(reason) {
  sound.stop();
  root.stage = "ended";
  root.taken = "over";
  newCallButton.classList.add("button--primary");
  setText(find("[data-ended-title]"), ENDED_TITLES[STATE.ENDED]);
  setText(find("[data-ended-reason]"), reason);
  find("[data-ended]").focus();
}

function hangUp() {
  sound.stop();
  session.hangUp();
  end();
}

function act(action) {
  // Taking a call back opens the microphone too.
  if (action === "take-back") start(false);
  else performAction(session, action);
}

function received(message) {
  forgetContinued(message);
  if (message.type === SERVER_MESSAGE.FLUSH) sound.speaker.flush();
  if (message.type === SERVER_MESSAGE.FLUSH || message.type === SERVER_MESSAGE.TURN_COMPLETE) sound.speaker.listen();
  if (message.type === SERVER_MESSAGE.READY) begun();
  if (message.type === "link") onLink(message);
  if (message.type === SERVER_MESSAGE.ERROR) recordings.receive(message);
  view.receive(message);
}

function begun() {
  timer.start();
  forgetLeftCall();
}

function onLink(change) {
  redirectWhenLoggedOut(change, root.loginUrl);
  if (change.link === "closed") end();
}

function showState(state) {
  view.show(state);
  recordings.show(state);
  if (state.phase === "taken") elsewhere.watch(state.conversation);
  else elsewhere.stop();
  sound.speaker.expectMore(state.turnState === TURN_STATE.GENERATING);
  elsewhereButton.disabled = !state.ready;
  if (state.phase === STATE.ENDED) end();
}

function showPlayback(report) {
  view.showPlayback(report);
  wire.showVoice(report.level);
}

function showLevel(level) {
  meter.show(level);
  wire.showUser(meter.shown);
}

/**
 * @param {string} text
 * @param {string[]} about  ids of the recordings that it asks about
 */
function type(text, about) {
  pauseRecording();
  if (root.wantedInterruptions === "on") {
    sound.speaker.flush();
    sound.speaker.listen();
  }
  session.type(text, about);
  recordings.sent();
  view.toLatest();
}

function stopReply() {
  sound.speaker.hush();
  session.stopReply();
}

function openMicrophone(open, name) {
  sound.setMuted(!open);
  session.setMicrophone(open && holds.size === 0);
  view.setMuted(!open);
  root.mic = name;
}

/** Nothing is heard of the user meanwhile, which is told like a mute. */
function hold(why, held) {
  if (held) holds.add(why);
  else holds.delete(why);
  if (!inCall()) return;
  session.setMicrophone(holds.size === 0 && root.mic !== "muted");
  view.setHeld(holds.size > 0);
}

/** What a recording says is not the user's word; and one voice at a time. */
function listenToRecording(plays) {
  hold("recording", plays);
  if (plays) sound.speaker.hush();
}

function setMuted(muted) {
  openMicrophone(!muted, muted ? "muted" : "on");
  muteButton.setAttribute("aria-pressed", String(muted));
  setText(find("[data-mute-word]"), muted ? gettext("Unmute") : gettext("Mute"));
}

async function toggleMute() {
  if (!sound.isLost) {
    setMuted(root.mic === "on");
    return;
  }
  wasOpen = true;
  if (await sound.findMicrophone()) return;
  view.showNotice(gettext("There is still no microphone. Connect one, or switch it on in the system's settings; then it is used by itself."));
}

function loseMicrophone() {
  if (!inCall()) return;
  wasOpen = root.mic !== "muted";
  setMuted(true);
  view.showNotice(gettext("The microphone went away. Connect it again, or press Unmute when there is another one."));
}

/** Whoever was muted before stays so. */
function findMicrophone() {
  if (!inCall()) return;
  view.clearNotice();
  if (wasOpen) setMuted(false);
}

function setCaptions(on) {
  root.captions = on ? "on" : "off";
  captionsButton.setAttribute("aria-pressed", String(on));
  choice.set(CAPTIONS_KEY, root.wantedCaptions, root.captions);
}

const inCall = () => root.stage === "call";

setCaptions(choice.get(CAPTIONS_KEY, root.wantedCaptions) === "on");
continueButton.addEventListener("click", () => start(false, { continues: leftCall.offered }));
startButton.addEventListener("click", () => start(false, { goesOnFrom: leftCall.offered ? null : beforeFirst.answer }));
newCallButton.addEventListener("click", () => start(true, { goesOnFrom: beforeNext.answer }));
elsewhereButton.addEventListener("click", () => handOver.open());
find("[data-take-back]").addEventListener("click", () => start(false));
find("[data-hang-up]").addEventListener("click", hangUp);
find("[data-stop]").addEventListener("click", stopReply);
muteButton.addEventListener("click", toggleMute);
captionsButton.addEventListener("click", () => setCaptions(root.captions === "off"));
const keys = new CallKeys({ inCall, onMute: toggleMute, onHangUp: hangUp, onSwitched: () => view.setKeys(keys.isOn) });
view.setKeys(keys.isOn);
new PushToTalk(find("[data-push-to-talk]"), {
  takesKeys: () => keys.isOn,
  isWanted: () => inCall() && root.mic === "muted" && !sound.isLost,
  onChange: (held) => openMicrophone(held, held ? "held" : "muted"),
});
document.addEventListener(PLAYING_CHANGED, ({ detail: plays }) => listenToRecording(plays));
recordings.moveTo(document.querySelector("[data-lobby-recordings]"));
watchLeaving(() => (inCall() ? session.state.conversation : null));
onComeback(session);
showState(session.state);
