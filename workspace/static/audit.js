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
  "handed over with a note": "handed the conversation over, with a note",
  left: "left the conversation",
  "left with a note": "left the conversation, with a note",
  closed: "closed the conversation",
  "re-opened": "reopened the conversation",
  erased: "erased a conversation",
  retried: "fetched again",
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

const TYPING_DELAY = 250;

function filterQuery() {
  const query = new URLSearchParams({ agent: byId("agent").value, customer: byId("customer").value.trim() });
  if (byId("views").checked) query.set("views", "only");
  if (byId("glimpses").checked) query.set("glimpses", "too");
  const [since, until] = [startOf(byId("since").value, 0), startOf(byId("until").value, 1)];
  if (since !== null) query.set("since", String(since));
  if (until !== null) query.set("until", String(until));
  return query;
}

/**
 * The beginning of a day in the time zone of the browser, some days later.
 * @param {string} date as the field has it, empty for none
 * @param {number} days
 */
function startOf(date, days) {
  const [year, month, day] = date.split("-").map(Number);
  return year && month && day ? Math.max(0, new Date(year, month - 1, day + days).getTime()) : null;
}

let generation = 0;

async function load(append = false) {
  generation += 1;
  const current = generation;
  const query = filterQuery();
  byId("export").href = `api/audit.csv?${query}`;
  if (append) query.set("before", String(oldest));
  try {
    const { entries, agents } = await getJson(`api/audit?${query}`);
    if (current !== generation) return;
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
  return element("tr", {},
    element("td", {}, element("time", { datetime: new Date(entry.at).toISOString(), title: formatFull(entry.at) }, formatDateTime(entry.at))),
    element("td", {}, element("bdi", {}, entry.agent)),
    element("td", {}, actionText(entry.did), ...fileParts(entry), entry.detail ? element("span", {}, " to ", element("bdi", {}, entry.detail)) : ""),
    element("td", {}, customerCell(entry)),
    element("td", {}, element("bdi", {}, entry.name ?? "")));
}

/**
 * What it was, and the way to it as long as it can be seen.
 * @param {AuditEntry} entry
 */
function fileParts({ attachment, conversation, kind, shown }) {
  if (!attachment) return [];
  const words = kind ? KIND_TEXTS[kind] ?? kind : ERASED;
  const address = `./?conversation=${encodeURIComponent(conversation ?? "")}&attachment=${encodeURIComponent(attachment)}`;
  return [" ",
    conversation && shown ? element("a", { href: address }, words) : words,
    element("span", { class: "muted" }, ` ${attachment}`)];
}

/** @param {string} did */
function actionText(did) {
  const page = PAGE_OF_DOCUMENT.exec(did)?.groups;
  return page ? `looked at page ${page.number} of` : ACTION_TEXTS[did] ?? did;
}

/** @param {AuditEntry} entry */
function customerCell({ conversation, consumer, gone, reference }) {
  if (conversation) return element("a", { href: `./?conversation=${encodeURIComponent(conversation)}` }, element("bdi", {}, consumer));
  if (reference) return element("span", { class: "muted" }, reference);
  return gone ? element("span", { class: "muted" }, "erased") : "";
}

function emptyRow() {
  return element("tr", {}, element("td", { colspan: 5, class: "muted" }, "No entries yet."));
}

/** @param {string[]} agents */
function addAgents(agents) {
  const select = byId("agent");
  const known = new Set([...select.options].map((option) => option.value));
  for (const agent of agents) if (!known.has(agent)) select.append(element("option", { value: agent }, agent));
}

for (const id of /** @type {const} */ (["agent", "views", "glimpses", "since", "until"])) byId(id).addEventListener("change", () => load());
/** @type {number | undefined} */
let timer;
byId("customer").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => load(), TYPING_DELAY);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => load(true));
fillAccountMenu(byId("links"), await loadWithRetry(loadMe), "audit");
await load();
