// @ts-check
// Answers that did not arrive, in all conversations of the agent: a bar on every view, and an announcement.

import { announce } from "./announcer.js";
import { byId, element } from "./element.js";
import { listed, say } from "./words.js";

/** @import { Undelivered } from "./types.d.ts" */

export class UndeliveredBar {
  /** @type {Map<string, number>} */
  #counts = new Map();

  /** @param {(id: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
  }

  /**
   * Show what is there when the page starts, which a screen reader finds on the page.
   * @param {Undelivered[]} conversations
   */
  show(conversations) {
    this.#counts = new Map(conversations.map(({ id, count }) => [id, count]));
    const names = conversations.flatMap((one, place) => [place ? say("comma") : "", this.#link(one)]);
    byId("undelivered").hidden = !conversations.length;
    byId("undelivered").replaceChildren(...(conversations.length ? [`${say("undelivered")} `, ...names] : []));
  }

  /**
   * Show changes, and announce new failures.
   * @param {Undelivered[]} conversations
   */
  update(conversations) {
    const fresh = conversations.filter(({ id, count }) => count > (this.#counts.get(id) ?? 0));
    if (fresh.length) announce(say("undelivered.news", { names: listed(fresh.map(({ name }) => name)) }));
    if (!isSame(conversations, this.#counts)) this.show(conversations);
  }

  /** @param {string} id */
  remove(id) {
    for (const link of byId("undelivered").querySelectorAll("a")) if (link.dataset.id === id) link.remove();
    this.#counts.delete(id);
    byId("undelivered").hidden = !this.#counts.size;
  }

  /** @param {Undelivered} conversation */
  #link({ id, name }) {
    const link = element("a", { href: `?conversation=${encodeURIComponent(id)}`, "data-id": id }, element("bdi", {}, name));
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.choose(id);
    });
    return link;
  }
}

/**
 * Whether nothing has changed, so that a link keeps the focus.
 * @param {Undelivered[]} conversations
 * @param {Map<string, number>} counts
 */
function isSame(conversations, counts) {
  return conversations.length === counts.size && conversations.every(({ id, count }) => counts.get(id) === count);
}
