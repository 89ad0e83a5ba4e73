// @ts-check
// Menus that open from a button: arrows move, Escape and a press elsewhere close, the focus returns.

import { element, icon } from "./element.js";

/** @import { IconName } from "./element.js" */

/** @typedef {{ word: string, icon?: IconName, press: () => void }} Entry */

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} place where the menu appears
 * @param {() => Entry[]} entries
 */
export function attachMenu(button, place, entries) {
  /** @type {HTMLElement | null} */
  let menu = null;

  /** @param {boolean} refocus */
  function close(refocus) {
    menu?.remove();
    menu = null;
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  }

  function open() {
    menu = element("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") },
      ...entries().map((entry) => element("button", {
        type: "button", role: "menuitem", tabindex: -1, onclick: () => { close(true); entry.press(); },
      }, entry.icon ? icon(entry.icon) : null, element("span", {}, entry.word))));
    menu.addEventListener("keydown", move);
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !menu?.contains(relatedTarget) && relatedTarget !== button) close(false);
    });
    place.append(menu);
    button.setAttribute("aria-expanded", "true");
    /** @type {HTMLElement | null} */ (menu.firstElementChild)?.focus();
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const all = [...menu?.children ?? []];
    const now = all.indexOf(/** @type {Element} */ (document.activeElement));
    const next = { ArrowDown: now + 1, ArrowUp: now - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close(true);
    else if (next === undefined) return;
    else /** @type {HTMLElement} */ (all[next % all.length])?.focus();
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  }

  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (menu ? close(true) : open()));
  document.addEventListener("pointerdown", ({ target }) => {
    if (menu && target instanceof Node && !menu.contains(target) && !button.contains(target)) close(false);
  });
}
