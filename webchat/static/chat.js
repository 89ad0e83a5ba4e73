// @ts-check
// The chat: its parts, its menu, and what the brand's page asks for.

import { call, pause, whenSignedOut } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation, gate, warn, whenOnline } from "./conversation.js";
import { addStyles, byId, closeDialogs } from "./element.js";
import { greet, tellPage } from "./frame.js";
import { begin, end, firstPage, forgetTicket, framed, resume, site, whenResumable } from "./session.js";
import { all, forgetEverything, isKept, openStore } from "./store.js";
import { Transcript } from "./transcript.js";
import { loadWords, say } from "./words.js";

/**
 * @import { Sender } from "./attaching.js"
 * @import { Entry } from "./menu.js"
 * @import { Receipts } from "./receipts.js"
 * @import { Identity } from "./session.js"
 * @import { MessageView } from "./types.d.ts"
 */

const LONGEST_PAUSE = 30_000;
const NO_LIMITS = { text: 4000, file_bytes: 25_000_000 };

/** @type {Receipts | null} */
let receipts = null;
let isShown = true;
/** Lines that came before the receipts' module. @type {[HTMLElement, MessageView][]} */
const early = [];
const transcript = new Transcript({
  retry: ({ id }) => void conversation.queue?.retry(id),
  cancel: ({ id }) => void conversation.queue?.cancel(id),
  another: async ({ id, position }) => {
    (await attaching()).choose("library", sender);
    if (position === null) void conversation.queue?.cancel(id);
  },
  edit: ({ id, text }) => {
    composer.write(text);
    void conversation.queue?.cancel(id);
  },
  redraw: () => transcript.draw(),
  view: async (key) => {
    const { openViewer } = await import("./viewer.js");
    openViewer(transcript.files(), key);
  },
}, (node, message) => (receipts ? receipts.watch(node, message) : early.push([node, message])));
/** @type {Sender} */
const sender = {
  limits: () => conversation.session?.limits ?? NO_LIMITS,
  accept: () => conversation.session?.accept ?? [],
  consumer: () => conversation.session?.consumer.id ?? "",
  send: (text, files) => conversation.send(text, files),
  warn,
};
const composer = new Composer(sender, async (file) => (await attaching()).take(file, sender));
/** @type {Conversation} */
const conversation = new Conversation({ transcript, composer, forget: forgetSeen, ended: () => void ended() });

function forgetSeen() {
  early.length = 0;
  receipts?.clear();
}

async function watchReading() {
  const { Receipts } = await import("./receipts.js");
  receipts = new Receipts((count) => tellPage("unread", { count }));
  receipts.setShown(isShown);
  for (const [node, message] of early.splice(0)) receipts.watch(node, message);
}

function attaching() {
  return import("./attaching.js");
}

/**
 * @param {string} id of the menu's button
 * @param {() => Entry[] | Promise<Entry[]>} entries
 */
function addMenu(id, entries) {
  const button = byId(id);
  button.addEventListener("click", async () => {
    const { openMenu } = await import("./menu.js");
    openMenu(button, await entries());
  });
}

/** Nothing of this consumer stays on this device. */
async function signedOut(words = say("signed.out")) {
  const beginning = conversation.forget();
  forgetTicket();
  await forgetEverything(site);
  if (conversation.isAt(beginning)) gate(words, false);
  return beginning;
}

/** The server ended the session, unless another tab only signed somebody else in. */
async function ended() {
  const beginning = conversation.stop();
  const other = await firstPage().then(() => true, () => false);
  if (!conversation.isAt(beginning)) return;
  if (other) await conversation.start({});
  else await signedOut();
}

async function signOut() {
  const mine = await signedOut();
  // The session must end even if the network is away now, unless somebody else begins one meanwhile.
  for (let tries = 0; conversation.isAt(mine); tries += 1) {
    try {
      await end();
      return;
    } catch {
      await pause(Math.min(LONGEST_PAUSE, 1000 * 2 ** tries), whenOnline());
    }
  }
}

async function restart() {
  await openStore(site);
  await conversation.start({});
  composer.focus();
}

async function erase() {
  await call("DELETE", "me");
  await signedOut(say("erased"));
}

async function menuEntries() {
  const [{ ask }, { openWindow }] = await Promise.all([import("./dialogs.js"), import("./window.js")]);
  return [
    // A window of its own can keep what this frame cannot.
    ...(framed && !isKept() ? [{ word: say("window"), press: openWindow }] : []),
    { word: say("clear"), press: () => ask(say("clear.question"), say("clear"), () => void conversation.clearHistory()) },
    { word: say("erase"), press: () => ask(say("erase.question"), say("erase"), () => erase().catch(() => warn(say("erase.failed")))) },
  ];
}

/** @type {Identity} */
let identity = {};
let opened = false;
// Before the first wait, because the page greets as soon as it is loaded.
const greeting = greet({
  identify: (asked) => {
    identity = asked;
    if (opened) void conversation.start(identity);
  },
  reset: () => void signOut(),
  shown: (shown) => {
    isShown = shown;
    receipts?.setShown(shown);
    if (!shown) closeDialogs();
  },
});

addMenu("more", menuEntries);
addMenu("attach", async () => (await attaching()).attachEntries(sender));
byId("close").hidden = !framed;
byId("close").addEventListener("click", () => tellPage("close"));
byId("gate-start").addEventListener("click", restart);
document.addEventListener("keydown", ({ key, defaultPrevented }) => {
  if (key === "Escape" && !defaultPrevented && !document.querySelector("dialog")) tellPage("close");
});
whenSignedOut(() => {
  if (conversation.session) void ended();
});

whenResumable((ticket) => tellPage("keep", { ticket }));

/** The server is asked while the words and the store load. */
async function beginEarly() {
  const hello = await greeting;
  resume(hello.kept);
  const asked = identity;
  const begun = hello.reset ? null : begin(asked);
  // The conversation finds out what failed, and tries again.
  begun?.catch(() => undefined);
  return { hello, asked, begun };
}

const [first] = await Promise.all([beginEarly(), loadWords(), openStore(site)]);
const isSame = first.asked === identity;
// What began as somebody else must not end after what begins now.
if (!isSame) await first.begun?.catch(() => undefined);
opened = true;
const started = first.hello.reset ? signOut() : conversation.start(identity, isSame ? first.begun : null);
// Of what opens later; without the network as well.
addStyles();
await started;
// A touch screen would show its keyboard.
if (framed && matchMedia("(pointer: fine)").matches) composer.focus();
// What opens later must open without a network as well.
await watchReading();
if (!byId("attach").hidden && (await all("parts")).length) void (await attaching()).offerInterrupted(sender);
for (const module of ["keyboard", "attaching", "menu", "uploading", "viewer", "camera", "window"]) import(`./${module}.js`).catch(() => undefined);
