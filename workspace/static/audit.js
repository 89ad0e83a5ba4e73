// @ts-check
// The audit trail: who looked at what, and when.

import { fillCorner } from "./account-menu.js";
import { ask, inWords, whoAmI } from "./api-client.js";
import { byId, element } from "./element.js";
import { exactly, shortly } from "./time-format.js";

/** @import { AuditEntry } from "./types.d.ts" */

/** @type {Partial<Record<string, string>>} */
const DID = {
  thumbnail: "saw the thumbnail of",
  preview: "looked at",
  poster: "saw the first frame of",
  video: "watched",
  download: "downloaded",
  took: "took the conversation",
  "handed over": "handed the conversation over",
  left: "left the conversation",
  closed: "closed the conversation",
  "re-opened": "re-opened the conversation",
  erased: "erased a conversation",
};

const PAGE = 100;

/** @type {number | null} */
let last = null;

async function load(further = false) {
  const query = new URLSearchParams({ agent: byId("agent").value });
  if (byId("views").checked) query.set("views", "only");
  if (byId("glimpses").checked) query.set("glimpses", "too");
  if (further) query.set("before", String(last));
  try {
    const { entries, agents } = await ask(`api/audit?${query}`);
    show(entries, further);
    offer(agents);
  } catch (refused) {
    byId("trouble").hidden = false;
    byId("trouble").textContent = inWords(refused);
  }
}

/**
 * @param {AuditEntry[]} entries
 * @param {boolean} further
 */
function show(entries, further) {
  const rows = entries.map(row);
  if (further) byId("entries").append(...rows);
  else byId("entries").replaceChildren(...(rows.length ? rows : [nothing()]));
  last = entries.at(-1)?.number ?? last;
  byId("more").hidden = entries.length < PAGE;
}

/** @param {AuditEntry} entry */
function row(entry) {
  const what = entry.attachment ? `${DID[entry.did] ?? entry.did} a ${entry.kind ?? "photo or video, since erased"}` : DID[entry.did] ?? entry.did;
  return element("tr", {},
    element("td", {}, element("time", { datetime: new Date(entry.at).toISOString(), title: exactly(entry.at) }, shortly(entry.at))),
    element("td", {}, element("bdi", {}, entry.agent)),
    element("td", {}, what, entry.detail ? ` to ${entry.detail}` : "", entry.attachment ? element("span", { class: "faint" }, ` ${entry.attachment}`) : ""),
    element("td", {}, customer(entry)));
}

/** @param {AuditEntry} entry */
function customer({ conversation, consumer, gone }) {
  if (conversation) return element("a", { href: `./?conversation=${encodeURIComponent(conversation)}` }, element("bdi", {}, consumer));
  return gone ? element("span", { class: "faint" }, "erased") : "";
}

function nothing() {
  return element("tr", {}, element("td", { colspan: 4, class: "faint" }, "Nothing yet."));
}

/** @param {string[]} agents */
function offer(agents) {
  const select = byId("agent");
  const known = new Set([...select.options].map((option) => option.value));
  for (const agent of agents) if (!known.has(agent)) select.append(element("option", { value: agent }, agent));
}

byId("agent").addEventListener("change", () => load());
byId("views").addEventListener("change", () => load());
byId("glimpses").addEventListener("change", () => load());
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => load(true));
fillCorner(byId("links"), await whoAmI(), "audit");
await load();
