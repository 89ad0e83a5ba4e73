// @ts-check
// Puts the page together: the list, the open conversation, and what the server tells.

import { fillCorner } from "./account-menu.js";
import { closeSheets, Deeds } from "./actions.js";
import { inWords, tell, whoAmI } from "./api-client.js";
import { Composer } from "./composer.js";
import { hue, initials, platform } from "./consumer.js";
import { List } from "./conversation-list.js";
import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { follow } from "./live-updates.js";
import { closeViewer } from "./photo-viewer.js";
import { Transcript } from "./transcript.js";
import { showTyping } from "./typing-indicator.js";

/** @import { ChannelAbilities, Conversation, Fail } from "./types.d.ts" */

/** @type {Fail} */
const fail = (trouble) => say(trouble ? inWords(trouble) : null);
const list = new List((id) => go(id), fail);
const transcript = new Transcript(fail);
const STATES = { live: "Live", away: "Reconnecting …" };
let started = false;
let refreshing = Promise.resolve();

byId("back").append(icon("back"));
byId("back").addEventListener("click", (event) => { event.preventDefault(); go(null); });
window.addEventListener("popstate", () => arrive().catch(fail));
document.addEventListener("visibilitychange", () => seen(list.get(transcript.id)).catch(fail));
const [me, revision] = await Promise.all([whoAmI(), list.load()]);
fillCorner(byId("who"), me, "./");
const deeds = new Deeds(me, fail, (id) => { list.forget(id); go(null); });
const composer = new Composer(deeds, fail);
follow(revision, { changed, state: (word) => { byId("live").dataset.state = word; byId("live").textContent = STATES[word]; } });
started = true;
await arrive();

/** @param {string | null} id */
function go(id) {
  history.pushState(null, "", id ? `?conversation=${encodeURIComponent(id)}` : "./");
  arrive().catch(fail);
}

function wanted() {
  return new URLSearchParams(location.search).get("conversation");
}

async function arrive() {
  // The list can be clicked before the server has said who is looking. Starting ends with arriving.
  if (!started) return;
  const id = wanted();
  closeViewer();
  closeSheets();
  list.mark(id);
  byId("frame").dataset.view = id ? "conversation" : "list";
  byId("nothing-open").hidden = Boolean(id);
  byId("open").hidden = !id;
  if (id) await open(id);
  else transcript.clear();
}

/** @param {string} id */
async function open(id) {
  try {
    const opened = await tell(`api/conversations/${encodeURIComponent(id)}/opened`, {});
    if (wanted() !== id) return;
    const { conversation } = opened;
    list.merge([conversation]);
    head(conversation, opened.can);
    say(opened.trouble);
    transcript.show(conversation, opened.lines, opened.revision);
    if (!byId("conversation").contains(document.activeElement)) byId("conversation").focus({ preventScroll: true });
    await seen(conversation);
  } catch (refused) {
    if (wanted() !== id) return;
    transcript.clear();
    fail(refused);
  }
}

/**
 * @param {Conversation} conversation
 * @param {ChannelAbilities} [can]
 */
function head(conversation, can) {
  byId("head-avatar").dataset.hue = String(hue(conversation.id));
  byId("head-avatar").textContent = initials(conversation.name);
  byId("head-name").textContent = conversation.name;
  const holder = whose(conversation);
  byId("head-detail").replaceChildren(
    platform(conversation),
    conversation.name === conversation.consumer ? "" : element("bdi", {}, ` · ${conversation.consumer}`),
    ` · ${conversation.open ? holder : `Closed · ${holder}`}`,
  );
  deeds.show(conversation);
  composer.show(conversation, can);
  showTyping(byId("typing"), conversation);
}

/** @param {Conversation} conversation */
function whose({ agents, assigned }) {
  if (assigned) return "Yours";
  return agents.length ? `With ${agents.join(", ")}` : "Nobody's yet";
}

/** @param {string | null} sentence */
function say(sentence) {
  byId("trouble").hidden = !sentence;
  byId("trouble").textContent = sentence ?? "";
}

/** @param {Conversation | undefined} conversation */
async function seen(conversation) {
  if (!conversation?.unread || document.hidden) return;
  await tell(`api/conversations/${encodeURIComponent(conversation.id)}/read`, { sequence: conversation.sequence });
}

/** @param {Conversation[]} conversations */
function changed(conversations) {
  list.merge(conversations);
  const mine = conversations.find(({ id }) => id === transcript.id);
  if (mine) refreshing = refreshing.then(() => catchUp(mine)).catch(fail);
}

/** @param {Conversation} conversation */
async function catchUp(conversation) {
  if (conversation.id !== transcript.id) return;
  // Whoever gains or loses a conversation gains or loses its pictures: everything is drawn anew.
  if (conversation.assigned !== transcript.assigned) {
    await open(conversation.id);
    return;
  }
  head(conversation);
  const fresh = await transcript.refresh();
  const news = fresh.filter(({ direction }) => direction === "in").length;
  if (news) byId("announcer").textContent = `${news} new ${news === 1 ? "message" : "messages"} from ${conversation.name}`;
  await seen(list.get(conversation.id));
}
