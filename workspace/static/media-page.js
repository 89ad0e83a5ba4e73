// @ts-check
// The page of all files: agents see those of their conversations, supervisors also where there are others.

import { fillAccountMenu } from "./account-menu.js";
import { reloadForAnotherAccount, showSignedOut } from "./account-watch.js";
import { getJson, loadMe } from "./api-client.js";
import { byId, element } from "./element.js";
import { loadWithRetry, showError } from "./error-bar.js";
import { icon } from "./icons.js";
import { followUpdates } from "./live-updates.js";
import { formatDateTime, formatFull } from "./time-format.js";
import { say } from "./words.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Changes, MediaItem, Rendition, VisibleAttachment } from "./types.d.ts"
 */

/** @type {Record<string, IconName>} */
const ICONS = {
  photo: "files",
  sticker: "files",
  video: "play",
  audio: "sound",
  document: "file",
};

/** @type {Rendition[]} */
const PICTURES = ["thumbnail", "poster"];

const conversation = new URLSearchParams(location.search).get("conversation") ?? "";
const shown = new Set();
/** @type {string | null} */
let following = null;
let reloading = Promise.resolve();

async function load(append = false) {
  const query = new URLSearchParams({ kind: byId("kind").value, conversation });
  if (append && following) query.set("before", following);
  const page = await getJson(`api/media?${query}`);
  if (!append) {
    byId("files").replaceChildren();
    shown.clear();
  }
  byId("files").append(...page.items.map(tile));
  for (const item of page.items) shown.add(item.conversation);
  following = page.next;
  byId("more").hidden = following === null;
  byId("nothing").hidden = byId("files").childElementCount > 0;
  return page;
}

/** @param {MediaItem} item */
function tile(item) {
  const { attachment, customer, at } = item;
  const kind = say(`kind.${ICONS[attachment.kind] ? attachment.kind : "file"}`);
  const name = attachment.visible ? attachment.name : null;
  const length = attachment.visible ? attachment.length : null;
  const address = `./?conversation=${encodeURIComponent(item.conversation)}${attachment.visible ? `&attachment=${encodeURIComponent(attachment.id)}` : ""}`;
  return element("li", { class: "media-tile" },
    element("a", { href: address },
      element("span", { class: "media-picture" }, (attachment.visible ? picture(attachment) : null) ?? icon(attachment.visible ? ICONS[attachment.kind] ?? "file" : "hidden", 36)),
      element("span", { class: "media-name" }, element("bdi", {}, [name ?? kind, length].filter(Boolean).join(" · "))),
      element("span", { class: "media-facts" }, element("bdi", {}, customer), " · ",
        element("time", { datetime: new Date(at).toISOString(), title: formatFull(at) }, formatDateTime(at))),
      attachment.visible ? null : element("span", { class: "media-facts" }, say("media.hidden"))));
}

/** @param {VisibleAttachment} attachment */
function picture({ id, renditions }) {
  const rendition = PICTURES.find((one) => renditions.includes(one));
  if (!rendition) return null;
  return element("img", { src: `attachments/${id}/${rendition}`, alt: "", width: 220, height: 220, loading: "lazy", decoding: "async" });
}

/** @param {boolean} append */
function show(append) {
  reloading = reloading.then(() => load(append)).then(() => showError(null), showError);
}

/**
 * A file that came, that expired, or that the agent may no longer see.
 * @param {Changes} changes
 */
function applyChanges({ conversations, gone }) {
  const concerned = conversations.some(({ id, assigned }) => assigned || shown.has(id));
  if (concerned || gone.some((id) => shown.has(id))) show(false);
}

byId("kind").addEventListener("change", () => show(false));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => show(true));
byId("all-conversations").hidden = !conversation;
const [me, page] = await loadWithRetry(() => Promise.all([loadMe(), load()]));
reloadForAnotherAccount(me.agent);
fillAccountMenu(byId("links"), me, "media");
followUpdates(page.revision, { changed: applyChanges, state: () => undefined, ended: showSignedOut });
