// @ts-check
// Contact cards: the name, and every number and address with a button that copies it.

import { element } from "./element.js";
import { icon } from "./icons.js";
import { say } from "./words.js";

/** @import { Card, CardField, VisibleAttachment } from "./types.d.ts" */

/** @param {VisibleAttachment} attachment */
export function contactCards({ contacts, complete }) {
  return element("div", { class: "cards" }, ...contacts.map(card),
    complete ? null : element("p", { class: "card-note" }, say("contact.incomplete")));
}

/** @param {Card} card */
function card({ name, fields }) {
  return element("section", { class: "card", "aria-label": say("contact.of", { name }) },
    element("p", { class: "card-head" }, icon("person", 20), element("bdi", { class: "card-name" }, name)),
    fields.length ? element("dl", { class: "card-fields" }, ...fields.map(row)) : null);
}

/** @param {CardField} field */
function row({ label, value, copy }) {
  const shown = element("bdi", { class: "card-value" }, value);
  return element("div", { class: "card-row" },
    element("dt", {}, label),
    element("dd", {}, shown, ...(copy ? copyParts(value, shown) : [])));
}

/**
 * @param {string} value
 * @param {HTMLElement} shown
 */
function copyParts(value, shown) {
  const done = element("span", { class: "card-done", role: "status" });
  const button = element("button", {
    class: "card-copy", type: "button", title: say("copy"), "aria-label": say("copy.value", { value }),
    onclick: () => copyText(value).then(() => { done.textContent = say("copy.done"); }, () => select(shown, done)),
  }, icon("copy", 16));
  // "Copied" is true until something else is copied.
  button.addEventListener("blur", () => { done.textContent = ""; });
  return [button, done];
}

/** @param {string} value */
async function copyText(value) {
  await navigator.clipboard.writeText(value);
}

/**
 * Browsers refuse to copy on pages without TLS, and where the user does not allow it.
 * @param {HTMLElement} shown
 * @param {HTMLElement} done
 */
function select(shown, done) {
  getSelection()?.selectAllChildren(shown);
  done.textContent = say("copy.selected");
}
