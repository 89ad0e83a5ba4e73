// @ts-check
// Creation and look-up of elements. Strings are always inserted as text, never as markup.

/** @import { Attributes, Child, Elements } from "./elements.d.ts" */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * @template {keyof Elements} Id
 * @param {Id} id
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no element "${id}".`);
  return /** @type {HTMLElementTagNameMap[Elements[Id]]} */ (node);
}

/**
 * Do something when a button is pressed, but not twice at once. A disabled button would lose the focus.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<unknown>} work
 * @param {(error: unknown) => void} failed
 */
export function onPress(button, work, failed) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await work();
    } catch (error) {
      button.removeAttribute("aria-disabled");
      failed(error);
    }
  });
}
