// @ts-check
// Keys for what agents do all day. All have modifiers, so that none is in the way of writing or of a screen reader.

import { byId } from "./element.js";

/**
 * @typedef {object} Deeds
 * @property {() => void} next
 * @property {() => void} take
 */

/** @param {Deeds} deeds */
export function listenForShortcuts({ next, take }) {
  /** @type {Record<string, () => void>} */
  const keys = {
    KeyN: next,
    KeyT: take,
    KeyA: () => byId("text").focus(),
    KeyS: () => byId("search").focus(),
    KeyH: () => byId("shortcuts").showModal(),
  };
  byId("shortcuts-open").addEventListener("click", () => byId("shortcuts").showModal());
  window.addEventListener("keydown", (event) => {
    const deed = keys[event.code];
    if (!(deed && event.altKey && event.shiftKey) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    // What is behind a dialog is out of reach.
    if (!document.querySelector("dialog[open]")) deed();
  });
}
