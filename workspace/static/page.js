// Puts the page together: the list, the open conversation, and what the server tells.

import { hue, initials, platform } from "./consumer.js";
import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { List } from "./list.js";
import { follow } from "./live.js";
import { ask, tell } from "./server.js";
import { Transcript } from "./transcript.js";
import { closeViewer } from "./viewer.js";

const list = new List((id) => go(id));
const transcript = new Transcript();
const STATES = { live: "Live", away: "Reconnecting …" };

function go(id) {
  history.pushState(null, "", id ? `?conversation=${encodeURIComponent(id)}` : "./");
  arrive();
}

async function arrive() {
  const id = new URLSearchParams(location.search).get("conversation");
  closeViewer();
  list.mark(id);
  byId("frame").dataset.view = id ? "conversation" : "list";
  byId("nothing-open").hidden = Boolean(id);
  byId("open").hidden = !id;
  if (id) await open(id);
  else transcript.clear();
}

async function open(id) {
  try {
    const { conversation, lines, revision, trouble } = await tell(`api/conversations/${encodeURIComponent(id)}/opened`);
    if (new URLSearchParams(location.search).get("conversation") !== id) return;
    head(conversation);
    say(trouble);
    transcript.show(id, lines, revision);
    byId("conversation").focus({ preventScroll: true });
    await seen(conversation);
  } catch (refused) {
    transcript.clear();
    say(refused.message);
  }
}

function head(conversation) {
  byId("head-avatar").dataset.hue = hue(conversation.id);
  byId("head-avatar").textContent = initials(conversation.name);
  byId("head-name").textContent = conversation.name;
  byId("head-detail").replaceChildren(
    platform(conversation),
    conversation.name === conversation.consumer ? "" : element("bdi", {}, ` · ${conversation.consumer}`),
    ` · ${conversation.connector}`,
  );
}

function say(sentence) {
  byId("trouble").hidden = !sentence;
  byId("trouble").textContent = sentence ?? "";
}

async function seen(conversation) {
  if (!conversation?.unread || document.hidden) return;
  await tell(`api/conversations/${encodeURIComponent(conversation.id)}/read`, { sequence: conversation.sequence });
}

let refreshing = Promise.resolve();

function changed(conversations) {
  list.merge(conversations);
  const mine = conversations.find(({ id }) => id === transcript.id);
  if (!mine) return;
  refreshing = refreshing.then(() => catchUp(mine)).catch((refused) => say(refused.message));
}

async function catchUp(conversation) {
  if (conversation.id !== transcript.id) return;
  const fresh = await transcript.refresh();
  const news = fresh.filter(({ direction }) => direction === "in").length;
  if (news) byId("announcer").textContent = `${news} new ${news === 1 ? "message" : "messages"} from ${conversation.name}`;
  await seen(list.get(conversation.id));
}

async function start() {
  byId("back").append(icon("back"));
  byId("back").addEventListener("click", (event) => { event.preventDefault(); go(null); });
  window.addEventListener("popstate", arrive);
  document.addEventListener("visibilitychange", () => seen(list.get(transcript.id)));
  const [me, revision] = await Promise.all([ask("api/me"), list.load()]);
  byId("brand").textContent = me.name;
  byId("who").textContent = `Signed in as ${me.agent}`;
  follow(revision, { changed, state: (word) => { byId("live").dataset.state = word; byId("live").textContent = STATES[word]; } });
  await arrive();
}

start();
