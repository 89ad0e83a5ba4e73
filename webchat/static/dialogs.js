// @ts-check
// Dialogs, and the buttons in them.

import { element, icon } from "./element.js";
import { say } from "./words.js";

/**
 * @import { IconName, Value } from "./element.js"
 */

/**
 * @param {IconName} name
 * @param {string} label
 * @param {(event: Event) => void} press
 */
export function iconButton(name, label, press, attributes = {}) {
  return element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: press, ...attributes }, icon(name));
}

/**
 * A dialog that leaves the page when it closes, and gives the focus back.
 * @param {Record<string, Value>} attributes
 * @param {(Node | null | undefined | false)[]} children
 */
export function openDialog(attributes, ...children) {
  const focused = document.activeElement;
  const dialog = element("dialog", attributes, ...children);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (focused instanceof HTMLElement) focused.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * @param {string} question
 * @param {string} answer
 * @param {() => void} work
 * @param {{ word: string, work: () => void }} [otherwise]
 */
export function ask(question, answer, work, otherwise = { word: say("cancel"), work: () => undefined }) {
  const dialog = openDialog({ class: "question", "aria-labelledby": "question" },
    element("p", { id: "question" }, question),
    element("div", { class: "answers" },
      element("button", { type: "button", class: "text-button", onclick: () => {
        dialog.close();
        otherwise.work();
      } }, otherwise.word),
      element("button", { type: "button", class: "main-button", onclick: () => {
        dialog.close();
        work();
      } }, answer)));
}
