/** The text chat: wires the page's parts to its session. */

import { openAudioContext } from "../audio/audio_context.js";
import { Speaker } from "../audio/speaker.js";
import { element, find } from "../helpers/dom.js";
import { assembled, gettext } from "../helpers/gettext.js";
import { choice } from "../helpers/storage.js";
import { Elsewhere } from "../session/elsewhere.js";
import { LiveSession } from "../session/live_session.js";
import { ChatsBox } from "../ui/chats_box.js";
import { Composer } from "../ui/composer.js";
import { FindBar } from "../ui/find_bar.js";
import { LiveView } from "../ui/live_view.js";
import { pauseRecording, PLAYING_CHANGED } from "../ui/recording_player.js";
import {
  continuedConversation,
  forgetContinued,
  onComeback,
  performAction,
  redirectWhenLoggedOut,
  reopenedChat,
  socketUrl,
} from "../session/page_life.js";
import { LIMIT, MODE, SERVER_MESSAGE, TURN_STATE } from "../session/protocol.js";
import { lastExchange } from "../session/replacing.js";
import { ConversationRecordings } from "./conversation_recordings.js";

const SPEAK_KEY = "holdline:speak-aloud";
const { wsPath, loginUrl, sessionUrl, playbackWorklet, wantedSound } = document.documentElement.dataset;

const speakSwitch = find("[data-speak]");
const stopButton = find("[data-stop]");
const newChatButtons = document.querySelectorAll("[data-new-chat]");
const lastChat = find("[data-last-chat]");

const recordings = new ConversationRecordings({
  onAttach: (id) => session.attach(id),
  onTakeBack: (id) => session.attachNot(id),
  onReturn: () => composer.focus(),
});
const view = new LiveView({
  mode: MODE.TEXT,
  recordings,
  onAction: (action) => performAction(session, action),
  onSendAgain: send,
  onQuote: (text) => composer.quote(text),
  onEdit: editLast,
  onAnswerAgain: answerAgain,
  onEarlier: (wish) => session.loadEarlier(wish),
});
const speaker = new Speaker({
  onReport: (report) => view.showPlayback(report),
  onHeard: (heard) => session.tellHeard(heard),
});
const session = new LiveSession({
  url: socketUrl(wsPath),
  continues: continuedConversation(),
  reopens: reopenedChat(),
  onChange: showState,
  onMessage: received,
  onAudio: (pcm, number) => speaker.play(pcm, number),
  onAudioLost: () => {},
});
const composer = new Composer(find("[data-composer]"), {
  draftKey: "holdline:text-draft",
  longest: LIMIT.TYPED_CHARACTERS,
  onSend: (text) => send(text, recordings.asked),
  onUp: editLast,
});
const editing = find("[data-editing]");
const findBar = new FindBar({
  bar: find("[data-find]"),
  opener: find("[data-find-open]"),
  lines: find("[data-log]"),
  onJump: () => view.letGo(),
});
const elsewhere = new Elsewhere({ url: sessionUrl, mode: MODE.TEXT, onOver: () => session.overElsewhere() });
const chats = new ChatsBox(find("[data-chats-dialog]"), {
  opener: find("[data-chats-open]"),
  getCurrent: () => session.state.conversation,
});
let audio = null;

/**
 * @param {string} text
 * @param {string[]} about  ids of the recordings that it asks about
 * @param {number | null} [replaces]  the number of the question in whose place it is asked
 */
function send(text, about, replaces = null) {
  if (speakSwitch.checked) unlockAudio();
  pauseRecording();
  speaker.flush();
  speaker.listen();
  session.type(text, about, replaces);
  recordings.sent();
  view.toLatest();
}

/** The last question comes back to where it was written. */
function editLast() {
  const last = lastExchange(session.state);
  if (last === null) return;
  const { turn, text, recordings: about = [] } = last.question;
  composer.edit(text, {
    onSend: (rewritten) => send(rewritten, about, turn),
    onLeave: () => (editing.hidden = true),
  });
  editing.hidden = false;
}

function answerAgain() {
  const last = lastExchange(session.state);
  if (last === null) return;
  composer.leaveEditing();
  send(last.question.text, last.question.recordings ?? [], last.question.turn);
}

/** Browsers let a page be heard only after a gesture: sending is one. */
async function unlockAudio() {
  if (audio) return;
  audio = openAudioContext([playbackWorklet]);
  speaker.expect();
  try {
    await audio.loaded;
    speaker.start(audio.context);
  } catch {
    speaker.stop();
    view.showNotice(gettext("This browser cannot play the answers aloud. They are shown all the same."));
  }
}

function received(message) {
  forgetContinued(message);
  if (message.type === SERVER_MESSAGE.FLUSH) speaker.flush();
  if (message.type === SERVER_MESSAGE.FLUSH || message.type === SERVER_MESSAGE.TURN_COMPLETE) speaker.listen();
  if (message.type === "link") redirectWhenLoggedOut(message, loginUrl);
  if (message.type === SERVER_MESSAGE.ERROR) recordings.receive(message);
  view.receive(message);
}

function showState(state) {
  view.show(state);
  recordings.show(state);
  speaker.expectMore(state.turnState === TURN_STATE.GENERATING);
  if (state.phase === "taken" && !state.isOverElsewhere) elsewhere.watch(state.conversation);
  else elsewhere.stop();
  for (const button of newChatButtons) button.disabled = !state.ready || state.turns.length === 0;
}

function stop() {
  speaker.hush();
  session.stopReply();
  composer.focus();
}

/** The chat before is kept, and can be had back. */
function beginNewChat() {
  const { conversation } = session.state;
  speaker.flush();
  composer.leaveEditing();
  chats.close();
  session.reset();
  const back = element("a", { href: `${lastChat.dataset.url}?open=${encodeURIComponent(conversation)}` }, [gettext("Go back to it")]);
  // Translators: "%(link)s" says "Go back to it".
  lastChat.replaceChildren(...assembled(gettext("Your last chat is kept. %(link)s."), { link: back }));
  composer.focus();
}

function setSpeakAloud() {
  speaker.setSilent(!speakSwitch.checked);
  session.setSound(speakSwitch.checked);
  choice.set(SPEAK_KEY, wantedSound, speakSwitch.checked ? "on" : "off");
  if (speakSwitch.checked) unlockAudio();
}

speakSwitch.checked = choice.get(SPEAK_KEY, wantedSound) === "on";
speaker.setSilent(!speakSwitch.checked);
session.setSound(speakSwitch.checked);
speakSwitch.addEventListener("change", setSpeakAloud);
stopButton.addEventListener("click", stop);
find("[data-editing-cancel]").addEventListener("click", () => {
  composer.leaveEditing();
  composer.focus();
});
for (const button of newChatButtons) button.addEventListener("click", beginNewChat);
find("[data-find-here]").addEventListener("click", () => {
  chats.close();
  findBar.open();
});
for (const starter of document.querySelectorAll("[data-starter]")) {
  starter.addEventListener("click", () => composer.fill(starter.textContent.trim()));
}
// One voice at a time.
document.addEventListener(PLAYING_CHANGED, ({ detail: plays }) => plays && speaker.hush());
onComeback(session);
session.open();
composer.focus();
