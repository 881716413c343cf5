/** The session page: shows what the server tells of the line while somebody looks, and passes on what is wished for it. */

import { find, setText } from "../helpers/dom.js";
import { gettext } from "../helpers/gettext.js";
import { LiveSocket } from "../session/live_socket.js";
import { ping } from "../session/messages.js";
import { SERVER_MESSAGE, SESSION_PAGE } from "../session/protocol.js";
import { questionFor, resultText } from "../session/session_figures.js";
import { Announcer } from "../ui/announcer.js";
import { copyButton } from "../ui/copy_button.js";
import { SessionCard } from "../ui/session_card.js";
import { TokenMaker } from "../ui/token_maker.js";

const LINK_WORDS = {
  opening: gettext("Connecting …"),
  waiting: gettext("The server cannot be reached. Trying again."),
  silent: gettext("The server does not answer."),
};

const root = document.documentElement.dataset;
const linkWord = find("[data-link-word]");
const words = find("[data-words]");
const download = find("[data-download]");
const dialog = find("[data-ask-dialog]");
const announcer = new Announcer(find("[data-announcer]"));

const cards = new Map(
  [...document.querySelectorAll("[data-session-mode]")].map((card) => {
    const mode = card.dataset.sessionMode;
    return [mode, new SessionCard(card, (wish) => askThenSend(mode, wish))];
  }),
);

const socket = new LiveSocket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${root.wsPath}`,
  hello: () => ping(Math.round(performance.now())),
  onMessage: receive,
  onFrame: () => {},
  onLink: showLink,
});

function receive(message) {
  if (message.type === SESSION_PAGE.SESSION) showReport(message);
  if (message.type === SESSION_PAGE.DONE) showDone(message);
  if (message.type === SERVER_MESSAGE.ERROR) setText(linkWord, message.text);
}

function showReport({ modes }) {
  setText(linkWord, "");
  root.link = "told";
  for (const [mode, card] of cards) card.show(modes[mode], Date.now());
  announcer.say([...cards.values()].map((card) => card.spoken).join(" "));
}

function showDone(done) {
  cards.get(done.mode).showResult(resultText(done));
}

function showLink({ link, action, text }) {
  root.link = link;
  for (const card of cards.values()) card.setOff(!["open", "heard"].includes(link));
  if (action === "login") location.assign(`${root.loginUrl}?next=${encodeURIComponent(location.pathname)}`);
  else setText(linkWord, text || LINK_WORDS[link] || "");
}

/** What ends a conversation is asked about first. */
function askThenSend(mode, wish) {
  const question = questionFor(wish);
  if (!question) return send(mode, wish);
  setText(find("[data-ask-title]"), question.title);
  setText(find("[data-ask-text]"), question.text);
  setText(find("[data-ask-yes]"), question.yes);
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "yes" && send(mode, wish);
  dialog.showModal();
}

function send(mode, wish) {
  const isSent = socket.send({ type: SESSION_PAGE.WISH, mode, wish });
  cards.get(mode).showResult(isSent ? "" : gettext("The server cannot be reached. Try again."));
}

/** Nothing is asked for while nobody can see it. */
function lookWhileVisible() {
  if (document.visibilityState === "visible") return socket.open();
  socket.close();
  showLink({ link: "hidden" });
}

const jsonUrl = () => (words.checked ? `${root.jsonUrl}?words=1` : root.jsonUrl);

async function reportAsText() {
  const answer = await fetch(jsonUrl(), { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The report was refused: ${answer.status}`);
  return JSON.stringify(await answer.json(), null, 2);
}

words.addEventListener("change", () => download.setAttribute("href", jsonUrl()));
const copy = copyButton(reportAsText, gettext("Copy as JSON"));
copy.classList.add("button");
find("[data-copy]").append(copy);
const tokens = document.querySelector("[data-tokens]");
if (tokens) new TokenMaker(tokens);
document.addEventListener("visibilitychange", lookWhileVisible);
lookWhileVisible();
