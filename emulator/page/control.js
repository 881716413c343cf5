// The control page: shows what the control API tells, and posts a fault for every form.

const POLL_MS = 700;
const MAX_LINES = 500;

const byId = (id) => document.getElementById(id);
let lastEntry = 0;
let closeTexts = [];

async function ask(method, path, body) {
  const options = { method, headers: { "Content-Type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

function option(value, label, title = "") {
  const element = new Option(label, value);
  element.title = title;
  return element;
}

// Faults.

/** The fault a form describes: numbers as numbers, empty fields left out. */
function faultOf(form) {
  const fault = { fault: form.dataset.fault };
  const connection = form.closest("[data-connection]");
  if (connection) fault.connection = connection.dataset.connection;
  for (const [name, value] of new FormData(form)) {
    if (value === "") continue;
    const isNumber = form.elements[name].type === "number" || name === "count";
    fault[name] = isNumber ? Number(value) : value;
  }
  return fault;
}

function showNotice(error) {
  const notice = byId("notice");
  notice.textContent = error ? error.message : "";
  notice.hidden = !error;
}

async function act(work) {
  try {
    await work();
    showNotice(null);
  } catch (error) {
    showNotice(error);
  }
  await refresh();
}

// Connections.

function newCard(connection) {
  const card = byId("connection-template").content.firstElementChild.cloneNode(true);
  card.dataset.connection = connection.id;
  const texts = card.querySelector('select[name="text"]');
  texts.append(...closeTexts.map((text) => option(text.name, `${text.code} ${text.name}`, text.text)));
  return card;
}

function fillCard(card, connection) {
  const seconds = Math.round(connection.audio_in_ms / 1000);
  const shown = {
    id: `${connection.id} · ${connection.session || "no session yet"}`,
    model: connection.model || "set-up pending",
    state: connection.closing ? "closing" : connection.state,
    detail: `${connection.resumed ? "resumed, " : ""}${seconds} s of audio in`,
  };
  for (const [name, text] of Object.entries(shown)) {
    const element = card.querySelector(`[data-show="${name}"]`);
    if (element.textContent !== text) element.textContent = text;
  }
  card.querySelector('[data-show="state"]').dataset.state = shown.state;
}

/** Cards are kept while their connection is open, so that what somebody types into them stays. */
function showConnections(connections) {
  const list = byId("connections");
  const cards = new Map([...list.children].map((card) => [card.dataset.connection, card]));
  for (const connection of connections) {
    const card = cards.get(connection.id) ?? list.appendChild(newCard(connection));
    fillCard(card, connection);
    cards.delete(connection.id);
  }
  for (const card of cards.values()) card.remove();
  byId("no-connections").hidden = connections.length > 0;
  byId("status").textContent = `${connections.length} open`;
}

// Armed faults and the log.

function describe(facts) {
  return Object.entries(facts)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join("  ");
}

function showArmed(faults) {
  byId("nothing-armed").hidden = faults.length > 0;
  const lines = faults.map(({ id, fault, ...rest }) => {
    const line = document.createElement("li");
    line.textContent = `${fault}  ${describe(rest)}`;
    return line;
  });
  byId("armed").replaceChildren(...lines);
}

function logLine({ n, at, connection, session, kind, ...facts }) {
  const line = document.createElement("p");
  const cells = [
    ["time", "", new Date(at * 1000).toTimeString().slice(0, 8) + (at % 1).toFixed(2).slice(1)],
    ["span", "who", connection || "-"],
    ["span", "what", kind],
    ["span", "rest", describe(facts)],
  ];
  for (const [tag, name, text] of cells) {
    const cell = document.createElement(tag);
    cell.className = name;
    cell.textContent = text;
    line.append(cell);
  }
  return line;
}

function showLog({ entries, next }) {
  lastEntry = next;
  if (!entries.length) return;
  const log = byId("log");
  log.append(...entries.map(logLine));
  while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  if (byId("follow").checked) log.scrollTop = log.scrollHeight;
}

// Keeping up.

async function refresh() {
  try {
    const [connections, faults, log] = await Promise.all([
      ask("GET", "/api/connections"),
      ask("GET", "/api/faults"),
      ask("GET", `/api/log?after=${lastEntry}`),
    ]);
    showConnections(connections.connections);
    showArmed(faults.faults);
    showLog(log);
  } catch {
    byId("status").textContent = "the emulator does not answer";
  }
}

async function keepUp() {
  await refresh();
  setTimeout(keepUp, POLL_MS);
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  act(() => ask("POST", "/api/faults", faultOf(event.target)));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-disarm]")) act(() => ask("DELETE", "/api/faults"));
  if (event.target.closest("[data-reset]")) {
    byId("log").replaceChildren();
    act(() => ask("POST", "/api/reset", {}));
  }
});

const catalogue = await ask("GET", "/api/catalogue");
closeTexts = catalogue.texts;
byId("models").append(option("", "all models"), ...catalogue.models.map((model) => option(model, model)));
keepUp();
