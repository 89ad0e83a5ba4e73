// How a consumer is shown: initials on a quiet colour, and the platform they write from.

import { element } from "./element.js";

const HUES = 6;

export function avatar(conversation) {
  return element("span", { class: "avatar", "aria-hidden": "true", "data-hue": hue(conversation.id) }, initials(conversation.name));
}

export function platform(conversation, extra = "") {
  return element("span", { class: `platform ${extra}`, "data-platform": conversation.platform }, conversation.platform_name);
}

export function initials(name) {
  const words = name.split(/\s+/u).filter((word) => /^[\p{L}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "#";
}

export function hue(id) {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % HUES;
}
