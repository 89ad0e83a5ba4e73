// @ts-check
// One entry of the list: who it is, the last line, the channel, who has it, and what is new for the agent.

import { avatar, platformLabel } from "./consumer.js";
import { element } from "./element.js";
import { formatFull, formatRecent } from "./time-format.js";
import { isTyping } from "./typing-indicator.js";
import { listed, say, sayCount } from "./words.js";

/** @import { Conversation } from "./types.d.ts" */

/**
 * @param {HTMLElement} link
 * @param {Conversation} conversation
 */
export function fillEntry(link, conversation) {
  const unread = concernsMe(conversation) ? conversation.unread : 0;
  link.dataset.unread = String(unread > 0);
  const { from, line } = conversation.last;
  const at = conversation.active_at;
  link.replaceChildren(
    avatar(conversation),
    element("span", { class: "entry-text" },
      element("span", { class: "entry-name", dir: "auto", title: conversation.consumer }, conversation.name),
      isTyping(conversation)
        ? element("span", { class: "entry-line entry-typing" }, say("typing"))
        : element("span", { class: "entry-line" }, from ? `${from}: ` : "", element("bdi", {}, line)),
      element("span", { class: "entry-state" }, failed(conversation.undelivered), platformLabel(conversation, "entry-platform"), holders(conversation), waits(conversation)),
    ),
    element("span", { class: "entry-side" },
      element("time", { datetime: new Date(at).toISOString(), title: formatFull(at) }, formatRecent(at)),
      unread ? unreadBadge(unread) : null,
    ),
  );
}

/**
 * A colleague's conversation is not this agent's work.
 * @param {Conversation} conversation
 */
export function concernsMe({ agents, assigned }) {
  return assigned || !agents.length;
}

/** @param {number} count */
function unreadBadge(count) {
  return element("span", { class: "unread" }, String(Math.min(count, 999)), element("span", { class: "visually-hidden" }, ` ${say("badge.unread")}`));
}

/** @param {number} count */
function failed(count) {
  if (!count) return null;
  return element("span", { class: "entry-failed" }, sayCount("failed", count));
}

/** @param {Conversation} conversation */
function holders({ agents, assigned, open }) {
  const holder = assigned ? say("yours") : listed(agents);
  return element("span", { class: "entry-holder" }, listed([holder, open ? "" : say("entry.closed")]));
}

/** @param {Conversation} conversation */
function waits({ waiting_since: since }) {
  if (since === null) return null;
  return element("span", { class: "entry-waits", title: say("waits.title", { time: formatFull(since) }) }, say("waits", { time: formatRecent(since) }));
}
