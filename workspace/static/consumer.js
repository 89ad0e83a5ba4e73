// @ts-check
// The avatar of a consumer, with initials on a muted colour, and the label of the platform.

import { element } from "./element.js";

/** @import { Conversation } from "./types.d.ts" */

const HUES = 6;
const SPACES = /\s+/u;
const FIRST_LETTER = /^\p{L}/u;

/** @param {Conversation} conversation */
export function avatar(conversation) {
  return element("span", { class: "avatar", "aria-hidden": "true", "data-hue": hue(conversation.id) }, initials(conversation.name));
}

/** @param {Conversation} conversation */
export function platformLabel(conversation, extra = "") {
  return element("span", { class: `platform ${extra}`, "data-platform": conversation.platform }, conversation.platform_name);
}

/** @param {string} name */
export function initials(name) {
  const letters = name.split(SPACES).flatMap((word) => FIRST_LETTER.exec(word) ?? []);
  const shown = letters.length > 1 ? [letters[0], letters.at(-1)] : letters;
  return shown.join("").toUpperCase() || "#";
}

/** @param {string} id */
export function hue(id) {
  return [...id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % HUES;
}
