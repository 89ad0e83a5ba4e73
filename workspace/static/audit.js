// @ts-check
// The page with the audit log: who looked at what, and when.

import { fillAccountMenu } from "./account-menu.js";
import { getJson, loadMe } from "./api-client.js";
import { byId, element } from "./element.js";
import { loadWithRetry, showError } from "./error-bar.js";
import { formatFull, formatDateTime } from "./time-format.js";
import { isSaid, say, sayName, sayWith } from "./words.js";

/** @import { AuditEntry } from "./types.d.ts" */

const PAGE_OF_DOCUMENT = /^page-(?<number>\d+)$/u;
// Characters of the server's names that keys do not have.
const NO_KEY = /[ -]/gu;

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
    element("td", {}, ...deed(entry)),
    element("td", {}, customerCell(entry)),
    element("td", {}, element("bdi", {}, entry.name ?? "")));
}

/** @param {AuditEntry} entry */
function deed(entry) {
  const page = PAGE_OF_DOCUMENT.exec(entry.did)?.groups?.number;
  const key = page ? "did.page" : `did.${entry.did.replace(NO_KEY, "_")}`;
  const values = { file: file(entry), number: page ?? "", to: element("bdi", {}, entry.detail ?? "") };
  return isSaid(key) ? sayWith(key, values) : [entry.did, " ", values.file];
}

/**
 * What it was, and the way to it as long as it can be seen.
 * @param {AuditEntry} entry
 */
function file({ attachment, conversation, kind, shown }) {
  if (!attachment) return "";
  const words = kind ? sayName("item", kind) : say("item.erased");
  const address = `./?conversation=${encodeURIComponent(conversation ?? "")}&attachment=${encodeURIComponent(attachment)}`;
  return element("span", {}, conversation && shown ? element("a", { href: address }, words) : words,
    " ", element("bdi", { class: "muted" }, attachment));
}

/** @param {AuditEntry} entry */
function customerCell({ conversation, consumer, gone, reference }) {
  if (conversation) return element("a", { href: `./?conversation=${encodeURIComponent(conversation)}` }, element("bdi", {}, consumer));
  if (reference) return element("span", { class: "muted" }, reference);
  return gone ? element("span", { class: "muted" }, say("audit.erased")) : "";
}

function emptyRow() {
  return element("tr", {}, element("td", { colspan: 5, class: "muted" }, say("audit.none")));
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
