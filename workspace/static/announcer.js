// @ts-check
// What a screen reader says about changes outside of the focus.

import { byId } from "./element.js";

/** @param {string} words */
export function announce(words) {
  const node = byId("announcer");
  // The same words again are a change only if they are a new node.
  node.replaceChildren(document.createTextNode(words));
}
