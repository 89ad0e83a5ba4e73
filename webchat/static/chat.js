// @ts-check
// The chat: its parts, its menu, and what the brand's page asks for.

import { call, pause, whenSignedOut } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation, gate, warn, whenOnline } from "./conversation.js";
import { byId, closeDialogs, element, openDialog } from "./element.js";
import { greet, tellPage } from "./frame.js";
import { attachMenu } from "./menu.js";
import { Receipts } from "./receipts.js";
import { end, framed, site } from "./session.js";
import { forgetEverything, openStore } from "./store.js";
import { Transcript } from "./transcript.js";
import { loadWords, say } from "./words.js";

/** @import { Identity } from "./session.js" */

const LONGEST_PAUSE = 30_000;
const NO_LIMITS = { text: 4000, file_bytes: 25_000_000 };

const receipts = new Receipts((count) => tellPage("unread", { count }));
const transcript = new Transcript({
  retry: ({ id }) => void conversation.queue?.retry(id),
  cancel: ({ id }) => void conversation.queue?.cancel(id),
  another: ({ id, position }) => {
    composer.choose("library");
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
}, (node, message) => receipts.watch(node, message));
/** @type {Composer} */
const composer = new Composer({
  isReady: () => conversation.session !== null,
  limits: () => conversation.session?.limits ?? NO_LIMITS,
  accept: () => conversation.session?.accept ?? [],
  send: (text, files) => conversation.send(text, files),
  warn,
});
/** @type {Conversation} */
const conversation = new Conversation({ transcript, composer, receipts, ended: () => void signedOut() });

/** Nothing of this consumer stays on this device. */
async function signedOut() {
  const beginning = conversation.forget();
  gate(say("signed.out"), false);
  await forgetEverything(site);
  return beginning;
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
      element("button", { type: "button", class: "main-button", onclick: () => {
        dialog.close();
        work().catch(() => warn(say("failed.network")));
      } }, answer)));
}

function menuEntries() {
  return [
    { word: say("clear"), press: () => confirm(say("clear.question"), say("clear"), () => conversation.clearHistory()) },
    { word: say("erase"), press: () => confirm(say("erase.question"), say("erase"), erase) },
  ];
}

await loadWords();
attachMenu(/** @type {HTMLButtonElement} */ (byId("more")), byId("head"), menuEntries);
byId("close").hidden = !framed;
byId("close").addEventListener("click", () => tellPage("close"));
byId("gate-start").addEventListener("click", restart);
document.addEventListener("keydown", ({ key, defaultPrevented }) => {
  if (key === "Escape" && !defaultPrevented && !document.querySelector("dialog")) tellPage("close");
});
whenSignedOut(() => {
  if (conversation.session) void signedOut();
});

/** @type {Identity} */
let identity = {};
let opened = false;
const hello = await greet({
  identify: (asked) => {
    identity = asked;
    if (opened) void conversation.start(identity);
  },
  reset: () => void signOut(),
  shown: (shown) => {
    receipts.setShown(shown);
    if (!shown) closeDialogs();
  },
});
await openStore(site);
opened = true;
if (hello.reset) await signOut();
else await conversation.start(identity);
