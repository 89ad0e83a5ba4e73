// @ts-check
// The chat: a session, its conversation, and what the brand's page asks for.

import { call, get, newId, pause, Refused, whenSignedOut } from "./api.js";
import { Composer } from "./composer.js";
import { byId, closeDialogs, element, openDialog } from "./element.js";
import { releaseFiles } from "./files.js";
import { greet, tellPage } from "./frame.js";
import { attachMenu } from "./menu.js";
import { Queue } from "./queue.js";
import { Receipts } from "./receipts.js";
import { begin, end, firstPage, framed, site } from "./session.js";
import { clear, find, forgetEverything, isKept, keptFiles, openStore, put } from "./store.js";
import { Stream } from "./stream.js";
import { Transcript } from "./transcript.js";
import { loadWords, say, sayCode } from "./words.js";

/**
 * @import { Identity } from "./session.js"
 * @import { ChangesView, ConversationView, HistoryView, LocalFile, Queued, SessionView } from "./types.d.ts"
 */

const NOTHING = { text: 4000, file_bytes: 25_000_000, part_bytes: 1_000_000, files: 10, at_once: 1, uploads: false };

/** @type {SessionView | null} */
let session = null;
/** @type {Queue | null} */
let queue = null;
/** @type {Stream | null} */
let stream = null;
/** @type {number | null} */
let earlier = null;
// Only the newest of several beginnings goes on.
let beginning = 0;
/** What was written before the session had begun. @type {(() => void)[]} */
let early = [];
/** @type {Set<string>} */
const alerted = new Set();

const receipts = new Receipts((count) => tellPage("unread", { count }));
const transcript = new Transcript({
  retry: ({ id }) => queue?.retry(id),
  cancel: ({ id }) => queue?.cancel(id),
  another: (line) => {
    composer.choose("library");
    if (line.position === null) void queue?.cancel(line.id);
  },
  edit: (line) => {
    composer.write(line.text);
    void queue?.cancel(line.id);
  },
  redraw: () => transcript.draw(),
  view: async (key) => {
    const { openViewer } = await import("./viewer.js");
    openViewer(transcript.files(), key);
  },
}, (node, message) => receipts.watch(node, message));

const composer = new Composer({
  limits: () => session?.limits ?? NOTHING,
  accept: () => session?.accept ?? [],
  send,
  warn,
});

/**
 * @param {string} text
 * @param {LocalFile[]} files
 */
function send(text, files) {
  if (!(session && queue)) {
    early.push(() => send(text, files));
    return;
  }
  warn("");
  /** @type {Queued} */
  const record = { id: newId(), consumer: session.consumer.id, text, files, at: Date.now(), state: "waiting", reason: null, tries: 0, progress: 0 };
  void queue.add(record);
}

/** @param {Queued} record */
function showQueued(record) {
  transcript.queue(record);
  if ((record.state === "failed" || record.state === "refused") && !alerted.has(record.id)) {
    alerted.add(record.id);
    byId("alarm").textContent = say("alarm");
  }
}

/** @param {string} words */
function warn(words) {
  byId("warning").hidden = !words;
  byId("warning-text").textContent = words;
}

/** @param {string} words */
function setStatus(words) {
  const status = byId("status");
  if (status.textContent !== words) status.textContent = words;
}

/**
 * Begin until it succeeds: the network may be away.
 * @param {Identity} identity
 */
async function start(identity) {
  beginning += 1;
  const mine = beginning;
  stop();
  byId("gate").hidden = true;
  setStatus(say("connecting"));
  for (let tries = 0; mine === beginning; tries += 1) {
    try {
      const begun = await begin(identity);
      if (mine === beginning) await run(begun);
      return;
    } catch (error) {
      if (error instanceof Refused && error.code === "identity_invalid") {
        warn(say("identity.invalid"));
        identity = {};
      } else if (error instanceof Refused && !error.passing) {
        if (mine === beginning) gate(sayCode("gate", error.code), error.code === "identity_required" || error.code === "not_found");
        return;
      } else {
        setStatus(say(error instanceof Refused && error.status === 429 ? "busy" : "offline"));
        await pause(Math.max(error instanceof Refused ? error.wait : 0, Math.min(30_000, 1000 * 2 ** tries)), AbortSignal.any([online()]));
      }
    }
  }
}

function online() {
  const returned = new AbortController();
  addEventListener("online", () => returned.abort(), { once: true });
  return returned.signal;
}

/** @param {{ session: SessionView, history: HistoryView }} begun */
async function run({ session: begun, history }) {
  session = begun;
  const { consumer, limits } = begun;
  transcript.cleared = Number(await find("facts", `cleared ${consumer.id}`) ?? 0);
  transcript.setLocal(await keptFiles(consumer.id));
  showHistory(history);
  queue = new Queue({
    site, consumer: consumer.id, limits, changed: showQueued,
    left: (id, message) => {
      if (message) transcript.take([message]);
      transcript.unqueue(id);
    },
  });
  await queue.start();
  stream = new Stream({
    name: `airlock-stream-${site}-${consumer.id}`, since: history.revision, changed,
    state: (state) => setStatus(say(state === "live" ? "online" : "offline")),
  });
  stream.start();
  byId("unkept").hidden = isKept();
  setStatus(say("online"));
  for (const work of early.splice(0)) work();
}

/** @param {HistoryView} history */
function showHistory(history) {
  earlier = history.before;
  byId("earlier").hidden = earlier === null;
  showConversation(history.conversation);
  transcript.take(history.messages);
}

/** @param {ConversationView} conversation */
function showConversation({ state, uploads }) {
  transcript.closed = state === "closed";
  composer.allowFiles(uploads);
}

/** @param {ChangesView} changes */
async function changed({ messages, conversation, typing, reset, revision }) {
  if (reset && revision === 0) await signedOut();
  else if (reset) await reload();
  if (conversation) showConversation(conversation);
  if (typing !== undefined) byId("typing").hidden = !typing;
  if (messages?.some(({ direction }) => direction === "out")) byId("typing").hidden = true;
  if (messages || conversation) transcript.take(messages ?? []);
}

async function reload() {
  const history = await firstPage();
  transcript.clear();
  receipts.clear();
  showHistory(history);
}

async function loadEarlier() {
  if (earlier === null) return;
  const before = earlier;
  earlier = null;
  try {
    /** @type {HistoryView} */
    const page = await get(`history?limit=50&before=${before}`);
    earlier = page.before;
    transcript.take(page.messages);
  } catch {
    earlier = before;
  }
  byId("earlier").hidden = earlier === null || before <= transcript.cleared;
}

function stop() {
  queue?.end();
  stream?.end();
  [session, queue, stream, earlier] = [null, null, null, null];
  closeDialogs();
  transcript.clear();
  transcript.closed = false;
  receipts.clear();
  releaseFiles();
  alerted.clear();
  composer.allowFiles(false);
  byId("typing").hidden = true;
  byId("alarm").textContent = "";
}

/** Nothing of this consumer stays on this device. */
async function forget() {
  beginning += 1;
  stop();
  composer.clear();
  early = [];
  await forgetEverything(site);
}

async function signedOut() {
  await forget();
  gate(say("signed.out"), false);
}

async function signOut() {
  const mine = beginning + 1;
  await signedOut();
  // The session must end even if the network is away now, unless somebody else begins one meanwhile.
  for (let tries = 0; mine === beginning; tries += 1) {
    try {
      await end();
      return;
    } catch {
      await pause(Math.min(30_000, 1000 * 2 ** tries), online());
    }
  }
}

/**
 * @param {string} words
 * @param {boolean} final whether a new chat cannot begin here
 */
function gate(words, final) {
  setStatus("");
  byId("gate-text").textContent = words;
  byId("gate-start").hidden = final;
  byId("gate").hidden = false;
}

async function restart() {
  await openStore(site);
  await start({});
  composer.focus();
}

/** Only this device forgets: what was sent is sent. */
async function clearHistory() {
  if (!session) return;
  transcript.cleared = transcript.lastPosition;
  await put("facts", `cleared ${session.consumer.id}`, transcript.cleared);
  await clear("files");
  byId("earlier").hidden = true;
  transcript.draw();
}

async function erase() {
  await call("DELETE", "me");
  await signedOut();
}

/**
 * @param {string} question
 * @param {string} answer
 * @param {() => Promise<void>} work
 */
function confirm(question, answer, work) {
  const dialog = openDialog({ class: "question", "aria-labelledby": "question" },
    element("p", { id: "question" }, question),
    element("div", { class: "answers" },
      element("button", { type: "button", class: "text-button", onclick: () => dialog.close() }, say("cancel")),
      element("button", { type: "button", class: "main-button", onclick: () => { dialog.close(); work().catch(() => warn(say("failed.network"))); } }, answer)));
}

function menuEntries() {
  return [
    { word: say("clear"), press: () => confirm(say("clear.question"), say("clear"), clearHistory) },
    { word: say("erase"), press: () => confirm(say("erase.question"), say("erase"), erase) },
  ];
}

await loadWords();
attachMenu(/** @type {HTMLButtonElement} */ (byId("more")), byId("head"), menuEntries);
byId("close").hidden = !framed;
byId("close").addEventListener("click", () => tellPage("close"));
byId("warning-close").addEventListener("click", () => warn(""));
byId("earlier").addEventListener("click", loadEarlier);
byId("gate-start").addEventListener("click", restart);
document.addEventListener("keydown", ({ key, defaultPrevented }) => {
  if (key === "Escape" && !defaultPrevented && !document.querySelector("dialog")) tellPage("close");
});
whenSignedOut(() => session && signedOut());
/** @type {Identity} */
let identity = {};
let opened = false;
const hello = await greet({
  identify: (asked) => {
    identity = asked;
    if (opened) void start(identity);
  },
  reset: signOut,
  shown: (shown) => {
    receipts.setShown(shown);
    if (!shown) closeDialogs();
  },
});
await openStore(site);
opened = true;
if (hello.reset) await signOut();
else await start(identity);
