// @ts-check
// What was seen: an agent's message counts as read once it was on the screen of a page that is looked at.

import { call } from "./api.js";

/** @import { MessageView } from "./types.d.ts" */

const GATHERING = 300;

export class Receipts {
  /** @type {WeakMap<Element, MessageView>} */
  #lines = new WeakMap();
  /** @type {Map<string, MessageView>} */
  #unread = new Map();
  /** @type {Set<Element>} Lines that came into view while nobody looked. */
  #inView = new Set();
  /** @type {{ delivered: MessageView | null, read: MessageView | null }} */
  #latest = { delivered: null, read: null };
  #timer = 0;
  #shown = true;
  #observer;

  /** @param {(count: number) => void} unread */
  constructor(unread) {
    this.unread = unread;
    this.#observer = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        if (isIntersecting) this.#inView.add(target);
        else this.#inView.delete(target);
      }
      this.#note();
    }, { threshold: 0.5 });
    document.addEventListener("visibilitychange", () => this.#note());
  }

  /** @param {boolean} shown whether the frame is open on the brand's page */
  setShown(shown) {
    this.#shown = shown;
    this.#note();
  }

  /**
   * @param {HTMLElement} node
   * @param {MessageView} message
   */
  watch(node, message) {
    this.#latest.delivered = later(this.#latest.delivered, message);
    if (message.state !== "read") {
      this.#lines.set(node, message);
      this.#unread.set(message.id, message);
      this.#observer.observe(node);
      if (message.state === "sent") this.#later();
    }
    this.unread(this.#unread.size);
  }

  clear() {
    this.#observer.disconnect();
    this.#inView.clear();
    this.#unread.clear();
    this.#latest = { delivered: null, read: null };
    clearTimeout(this.#timer);
    this.unread(0);
  }

  #note() {
    if (!this.#shown || document.visibilityState !== "visible") return;
    for (const node of this.#inView) {
      const message = this.#lines.get(node);
      if (message) this.#latest.read = later(this.#latest.read, message);
      this.#inView.delete(node);
      this.#observer.unobserve(node);
    }
    const read = this.#latest.read?.position ?? 0;
    for (const { id, position } of this.#unread.values()) if (position <= read) this.#unread.delete(id);
    this.unread(this.#unread.size);
    if (this.#latest.read) this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), GATHERING);
  }

  async #send() {
    const { delivered, read } = this.#latest;
    if (!(delivered || read)) return;
    this.#latest = { delivered: null, read: null };
    const json = { ...(delivered ? { delivered_to: delivered.id } : {}), ...(read ? { read_to: read.id } : {}) };
    try {
      await call("POST", "receipts", { json });
    } catch {
      this.#latest = { delivered: this.#latest.delivered ?? delivered, read: this.#latest.read ?? read };
      this.#timer = setTimeout(() => this.#send(), 10_000);
    }
  }
}

/**
 * @param {MessageView | null} one
 * @param {MessageView} other
 */
function later(one, other) {
  return one && one.position > other.position ? one : other;
}
