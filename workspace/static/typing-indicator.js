// @ts-check
// The typing indicator of a consumer. Not every platform reports the end of typing, so it ends automatically.

import { element } from "./element.js";

/** @import { Conversation } from "./types.d.ts" */

/** @type {WeakMap<HTMLElement, number>} */
const timers = new WeakMap();

/** @param {Conversation} conversation */
export function isTyping({ typing_until: until }) {
  return until > Date.now();
}

/**
 * @param {HTMLElement} node
 * @param {Conversation} conversation
 */
export function showTyping(node, conversation) {
  clearTimeout(timers.get(node));
  const typing = isTyping(conversation);
  node.hidden = !typing;
  node.replaceChildren(...(typing ? [element("span", {}, element("bdi", {}, conversation.name), " is typing"), dots()] : []));
  if (typing) timers.set(node, setTimeout(() => { node.hidden = true; }, conversation.typing_until - Date.now()));
}

function dots() {
  return element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
}
