// @ts-check
// Menus that open from a button: arrows move, Escape and a press elsewhere close, the focus returns.

import { element, icon } from "./element.js";

/** @import { IconName } from "./element.js" */

/** @typedef {{ word: string, icon?: IconName, press: () => void }} Entry */

/**
 * Open a button's menu.
 * @param {HTMLElement} button
 * @param {Entry[]} entries
 */
export function openMenu(button, entries) {
  if (button.getAttribute("aria-expanded") === "true") return;
  const menu = element("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") },
    ...entries.map((entry) => element("button", {
      type: "button", role: "menuitem", tabindex: -1, onclick: () => {
        close(true);
        entry.press();
      },
    }, entry.icon ? icon(entry.icon) : null, element("span", {}, entry.word))));
  const opened = new AbortController();

  /** @param {boolean} refocus */
  function close(refocus) {
    opened.abort();
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const all = [...menu.children];
    const now = all.indexOf(/** @type {Element} */ (document.activeElement));
    const next = { ArrowDown: now + 1, ArrowUp: now - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close(true);
    else if (next === undefined) return;
    else /** @type {HTMLElement} */ (all[next % all.length])?.focus();
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  }

  menu.addEventListener("keydown", move);
  // The press on the button itself, too, closes the menu: it must not open it again.
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && menu.contains(event.target)) return;
    if (event.target instanceof Node && button.contains(event.target)) event.stopPropagation();
    close(false);
  }, { signal: opened.signal, capture: true });
  button.parentElement?.append(menu);
  button.setAttribute("aria-expanded", "true");
  /** @type {HTMLElement | null} */ (menu.firstElementChild)?.focus();
}
