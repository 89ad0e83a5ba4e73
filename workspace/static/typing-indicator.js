// @ts-check
// The typing indicator of a consumer. Not every platform reports the end of typing, so it ends automatically.

import { element } from "./element.js";
import { sayWith } from "./words.js";

/** @import { Conversation } from "./types.d.ts" */

/** @type {WeakMap<HTMLElement, number>} */
const timers = new WeakMap();

/** @param {Conversation} conversation */
export function isTyping({ typing_until: until }) {
  return until > Date.now();
}

// The longest that the server lets a consumer type. This machine's clock may be behind the server's by any time, and a
// timer of more than 2^31 ms would fire at once.
const LONGEST = 60_000;

/**
 * Milliseconds until the consumer no longer counts as typing.
 * @param {Conversation} conversation
 */
export function typingTime({ typing_until: until }) {
  return Math.min(until - Date.now(), LONGEST);
}

/**
 * @param {HTMLElement} node
 * @param {Conversation} conversation
 */
export function showTyping(node, conversation) {
  clearTimeout(timers.get(node));
  const typing = isTyping(conversation);
  node.hidden = !typing;
  node.replaceChildren(...(typing ? [element("span", {}, ...sayWith("typing.who", { name: element("bdi", {}, conversation.name) })), dots()] : []));
  if (typing) timers.set(node, setTimeout(() => { node.hidden = true; }, typingTime(conversation)));
}

function dots() {
  return element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
}
