// @ts-check
// The page for agents: connects the list, the open conversation and the live updates.

import { fillAccountMenu } from "./account-menu.js";
import { reloadForAnotherAccount, showSignedOut } from "./account-watch.js";
import { closeDialogs, ConversationActions } from "./actions.js";
import { announce } from "./announcer.js";
import { ApiError, getJson, loadMe, postJson } from "./api-client.js";
import { Composer } from "./composer.js";
import { hue, initials, platformLabel } from "./consumer.js";
import { ConversationList } from "./conversation-list.js";
import { byId, element } from "./element.js";
import { loadWithRetry, showError } from "./error-bar.js";
import { openGalleryAt } from "./gallery.js";
import { icon } from "./icons.js";
import { followUpdates } from "./live-updates.js";
import { Notifications } from "./notifications.js";
import { reportReading, showPresence } from "./presence.js";
import { listenForShortcuts } from "./shortcuts.js";
import { closeViewer, refreshViewer } from "./viewer.js";
import { isUnread, Transcript } from "./transcript.js";
import { showTyping } from "./typing-indicator.js";
import { UndeliveredBar } from "./undelivered.js";
import { listed, say, sayCount } from "./words.js";

/** @import { Changes, ChannelAbilities, Conversation, Undelivered } from "./types.d.ts" */

const list = new ConversationList((id) => navigate(id), showError);
const transcript = new Transcript(showError);
const undeliveredBar = new UndeliveredBar((id) => navigate(id));
// The conversation was erased, or this agent may no longer read it.
const GONE = new Set([403, 404]);
// The list and a conversation fit side by side (layout.css).
const WIDE = matchMedia("(min-width: 760.02px)");
let started = false;
let opensPhoto = false;
let refreshing = Promise.resolve();

byId("back").append(icon("back"));
byId("head-files").append(icon("files"));
byId("back").addEventListener("click", (event) => { event.preventDefault(); navigate(null); });
window.addEventListener("popstate", () => showRequested().catch(showError));
document.addEventListener("visibilitychange", () => markRead(list.get(transcript.id)).catch(showError));
const [me, loaded] = await loadWithRetry(() => Promise.all([loadMe(), list.load()]));
opensPhoto = me.opens_photo;
reloadForAnotherAccount(me.agent);
fillAccountMenu(byId("account-menu"), me, "./");
const actions = new ConversationActions(me, showError, (id) => { forget(id); navigate(null); });
const composer = new Composer(me.agent, actions, showError);
const notifications = new Notifications(me.agent, (id) => navigate(id));
listenForShortcuts({
  next: () => { const id = list.next(); if (id) navigate(id); },
  take: () => { if (!byId("open").hidden) actions.takeIfPossible().catch(showError); },
});
undeliveredBar.show(loaded.undelivered);
list.showFailed(total(loaded.undelivered));
followUpdates(loaded.revision, {
  changed: applyChanges,
  state: (state) => { byId("live").dataset.state = state; byId("live").textContent = say(state); },
  present: showPresence,
  ended: showSignedOut,
});
started = true;
await showRequested();
await openPhoto();

// The demo shows a photo before anybody has chosen a conversation.
async function openPhoto() {
  const waits = () => opensPhoto && WIDE.matches && requestedId() === null;
  if (!waits()) return;
  const { items: [newest] } = await getJson("api/media?kind=photo");
  if (!(newest && waits())) return;
  opensPhoto = false;
  redirect(newest.conversation);
  await showRequested();
  [...document.querySelectorAll("#open .photo")].at(-1)?.scrollIntoView({ block: "nearest" });
}

/**
 * Show the address of another conversation than the requested one, such as that into which it was merged.
 * @param {string} id
 */
function redirect(id) {
  history.replaceState(null, "", `?conversation=${encodeURIComponent(id)}`);
  list.markCurrent(id);
}

/** @param {string | null} id */
function navigate(id) {
  opensPhoto = false;
  history.pushState(null, "", id ? `?conversation=${encodeURIComponent(id)}` : "./");
  showRequested().catch(showError);
}

function requestedId() {
  return new URLSearchParams(location.search).get("conversation");
}

async function showRequested() {
  // The list can be clicked before the account is loaded. The start calls this function at its end.
  if (!started) return;
  const id = requestedId();
  closeViewer();
  closeDialogs();
  list.markCurrent(id);
  if (id === null) {
    transcript.clear();
    showNothing();
    return;
  }
  byId("frame").dataset.view = "conversation";
  byId("nothing-open").hidden = true;
  byId("open").hidden = false;
  await open(id);
  await openRequestedAttachment(id);
}

function showNothing() {
  reportReading(null);
  byId("frame").dataset.view = "list";
  byId("nothing-open").hidden = false;
  byId("open").hidden = true;
}

/**
 * Links from the pages of files and of the audit log lead to an attachment.
 * @param {string} id
 */
async function openRequestedAttachment(id) {
  const attachment = new URLSearchParams(location.search).get("attachment");
  if (!attachment) return;
  history.replaceState(null, "", `?conversation=${encodeURIComponent(requestedId() ?? id)}`);
  if (!transcript.assigned) {
    showError(say("open.take"));
    return;
  }
  try {
    await openGalleryAt(requestedId() ?? id, attachment);
  } catch (error) {
    showError(error);
  }
}

/**
 * @param {string} id
 * @param {boolean} again whether it is open already
 */
async function open(id, again = false) {
  try {
    const opened = await postJson(`api/conversations/${encodeURIComponent(id)}/opened`, { again });
    if (requestedId() !== id) return;
    const { conversation } = opened;
    if (conversation.id !== id) redirect(conversation.id);
    list.merge([conversation]);
    composer.restore(conversation.id, opened);
    showHeader(conversation, opened.can);
    reportReading(conversation.id);
    showError(opened.trouble); // allow-word
    transcript.show(conversation, opened.lines, opened.revision);
    if (!again) focusOpened();
    await markRead(conversation);
  } catch (error) {
    if (requestedId() !== id) return;
    transcript.clear();
    if (error instanceof ApiError && GONE.has(error.status)) {
      forget(id);
      showNothing();
    }
    showError(error);
  }
}

// An agent who may answer can begin at once. On a touch screen, a keyboard would cover half of the conversation.
function focusOpened() {
  const writes = !byId("composer").hidden && matchMedia("(pointer: fine)").matches;
  if (writes) byId("text").focus({ preventScroll: true });
  else if (!byId("conversation").contains(document.activeElement)) byId("conversation").focus({ preventScroll: true });
}

/**
 * @param {Conversation} conversation
 * @param {ChannelAbilities} [can]
 */
function showHeader(conversation, can) {
  byId("head-avatar").dataset.hue = String(hue(conversation.id));
  byId("head-avatar").textContent = initials(conversation.name);
  byId("head-name").textContent = conversation.name;
  transcript.setCustomer(conversation.name);
  const assignment = assignmentText(conversation);
  byId("head-detail").replaceChildren(
    platformLabel(conversation),
    ...(conversation.name === conversation.consumer ? [] : [" · ", element("bdi", {}, conversation.consumer)]),
    ` · ${conversation.open ? assignment : `${say("head.closed")} · ${assignment}`}`,
  );
  byId("head-files").href = `media?conversation=${encodeURIComponent(conversation.id)}`;
  byId("head-files").hidden = !(conversation.assigned || me.may.includes("oversee"));
  actions.show(conversation);
  composer.show(conversation, can);
  showTyping(byId("typing"), conversation);
}

/** @param {Conversation} conversation */
function assignmentText({ agents, assigned }) {
  if (assigned) return say("yours");
  return agents.length ? say("head.with", { agents: listed(agents) }) : say("head.free");
}

/** @param {Conversation | undefined} conversation */
async function markRead(conversation) {
  if (!conversation || document.hidden) return;
  const undelivered = conversation.undelivered ? transcript.failed() : [];
  if (!(conversation.unread || undelivered.length)) return;
  await postJson(`api/conversations/${encodeURIComponent(conversation.id)}/read`, { sequence: conversation.sequence, revision: transcript.revision, undelivered });
}

/**
 * What an erased conversation has left on this page.
 * @param {string} id
 */
function forget(id) {
  list.remove(id);
  composer.forget(id);
  undeliveredBar.remove(id);
}

/**
 * A conversation was erased, or this agent may no longer read it: nothing of it stays on the page.
 * @param {string} id
 */
function leave(id) {
  forget(id);
  if (requestedId() === id) showRequested().catch(showError);
}

/** @param {Undelivered[]} conversations */
function total(conversations) {
  return conversations.reduce((sum, { count }) => sum + count, 0);
}

/** @param {Changes} page */
function applyChanges({ conversations, gone, counts, undelivered }) {
  undeliveredBar.update(undelivered);
  list.showFailed(total(undelivered));
  list.showCounts(counts);
  for (const id of gone) leave(id);
  notifications.notify(conversations, (id) => list.get(id));
  list.merge(conversations.filter((one) => one.merged_into === null));
  for (const { id, merged_into: stays } of conversations) if (stays !== null) follow(id, stays);
  const shown = conversations.find(({ id }) => id === transcript.id);
  if (shown) refreshing = refreshing.then(() => refreshOpen(shown)).catch(showError);
  openPhoto().catch(showError);
}

/**
 * A conversation was merged into another one: it leaves the list, and an agent who has it open continues there.
 * @param {string} id
 * @param {string} stays
 */
function follow(id, stays) {
  list.remove(id);
  composer.follow(id, stays);
  if (requestedId() !== id) return;
  redirect(stays);
  showRequested().catch(showError);
}

/** @param {Conversation} conversation */
async function refreshOpen(conversation) {
  if (conversation.id !== transcript.id) return;
  // An agent who gains or loses a conversation gains or loses its media, so everything is redrawn.
  if (conversation.assigned !== transcript.assigned) {
    if (!conversation.assigned) closeViewer();
    await open(conversation.id, true);
    return;
  }
  showHeader(conversation);
  const fresh = await transcript.refresh();
  await refreshViewer();
  const count = fresh.filter(isUnread).length;
  if (count) announce(sayCount("news", count, { name: conversation.name }));
  await markRead(list.get(conversation.id));
}
