// @ts-check
// The page with the audit log: who looked at what, and when.

import { fillAccountMenu } from "./account-menu.js";
import { getJson, loadMe } from "./api-client.js";
import { byId, element } from "./element.js";
import { loadWithRetry, showError } from "./error-bar.js";
import { formatFull, formatDateTime } from "./time-format.js";

/** @import { AuditEntry } from "./types.d.ts" */

/** @type {Partial<Record<string, string>>} */
const ACTION_TEXTS = {
  thumbnail: "saw the thumbnail of",
  preview: "looked at",
  poster: "saw the first frame of",
  video: "watched",
  audio: "listened to",
  document: "opened the PDF of",
  text: "read the text of",
  original: "downloaded the original of",
  download: "downloaded",
  took: "took the conversation",
  "handed over": "handed the conversation over",
  left: "left the conversation",
  closed: "closed the conversation",
  "re-opened": "reopened the conversation",
  erased: "erased a conversation",
};

/** @type {Partial<Record<string, string>>} */
const KIND_TEXTS = {
  photo: "a photo",
  video: "a video",
  audio: "an audio message",
  document: "a document",
  sticker: "a sticker",
  contact: "a contact",
};

const PAGE_OF_DOCUMENT = /^page-(?<number>\d+)$/u;
const ERASED = "an attachment (since erased)";

const PAGE = 100;

/** @type {number | null} */
let oldest = null;

async function load(append = false) {
  const query = new URLSearchParams({ agent: byId("agent").value });
  if (byId("views").checked) query.set("views", "only");
  if (byId("glimpses").checked) query.set("glimpses", "too");
  if (append) query.set("before", String(oldest));
  try {
    const { entries, agents } = await getJson(`api/audit?${query}`);
    show(entries, append);
    addAgents(agents);
    showError(null);
  } catch (error) {
    showError(error);
  }
}

/**
 * @param {AuditEntry[]} entries
 * @param {boolean} append
 */
function show(entries, append) {
  const rows = entries.map(row);
  if (append) byId("entries").append(...rows);
  else byId("entries").replaceChildren(...(rows.length ? rows : [emptyRow()]));
  oldest = entries.at(-1)?.number ?? oldest;
  byId("more").hidden = entries.length < PAGE;
}

/** @param {AuditEntry} entry */
function row(entry) {
  const did = actionText(entry.did);
  const text = entry.attachment ? `${did} ${entry.kind ? KIND_TEXTS[entry.kind] ?? entry.kind : ERASED}` : did;
  return element("tr", {},
    element("td", {}, element("time", { datetime: new Date(entry.at).toISOString(), title: formatFull(entry.at) }, formatDateTime(entry.at))),
    element("td", {}, element("bdi", {}, entry.agent)),
    element("td", {}, text, entry.detail ? ` to ${entry.detail}` : "", entry.attachment ? element("span", { class: "muted" }, ` ${entry.attachment}`) : ""),
    element("td", {}, customerCell(entry)));
}

/** @param {string} did */
function actionText(did) {
  const page = PAGE_OF_DOCUMENT.exec(did)?.groups;
  return page ? `looked at page ${page.number} of` : ACTION_TEXTS[did] ?? did;
}

/** @param {AuditEntry} entry */
function customerCell({ conversation, consumer, gone }) {
  if (conversation) return element("a", { href: `./?conversation=${encodeURIComponent(conversation)}` }, element("bdi", {}, consumer));
  return gone ? element("span", { class: "muted" }, "erased") : "";
}

function emptyRow() {
  return element("tr", {}, element("td", { colspan: 4, class: "muted" }, "No entries yet."));
}

/** @param {string[]} agents */
function addAgents(agents) {
  const select = byId("agent");
  const known = new Set([...select.options].map((option) => option.value));
  for (const agent of agents) if (!known.has(agent)) select.append(element("option", { value: agent }, agent));
}

byId("agent").addEventListener("change", () => load());
byId("views").addEventListener("change", () => load());
byId("glimpses").addEventListener("change", () => load());
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => load(true));
fillAccountMenu(byId("links"), await loadWithRetry(loadMe), "audit");
await load();
