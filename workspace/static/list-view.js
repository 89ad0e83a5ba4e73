// @ts-check
// What the list shows: a tab, a state, a channel, and an order. It is kept until the browser's tab is closed.

import { attempt } from "./attempt.js";
import { byId, element } from "./element.js";
import { say } from "./words.js";

/** @import { Conversation, Counts } from "./types.d.ts" */

/** @typedef {keyof typeof TABS} Tab */
/** @typedef {keyof typeof STATES} State */
/** @typedef {keyof typeof ORDERS} Order */

/** @type {Record<"open" | "free" | "mine" | "closed" | "all", (conversation: Conversation) => boolean>} */
const TABS = {
  open: (conversation) => conversation.open,
  free: (conversation) => conversation.open && !conversation.agents.length,
  mine: (conversation) => conversation.assigned,
  closed: (conversation) => !conversation.open,
  all: () => true,
};

/** @type {Record<"any" | "waiting" | "unread" | "failed", (conversation: Conversation) => boolean>} */
const STATES = {
  any: () => true,
  waiting: (conversation) => conversation.waiting_since !== null,
  unread: (conversation) => conversation.unread > 0,
  failed: (conversation) => conversation.undelivered > 0,
};

/** @type {Record<"latest" | "waiting", (conversation: Conversation) => number>} */
const ORDERS = {
  latest: (conversation) => -conversation.active_at,
  waiting: (conversation) => conversation.queue_place,
};

const KEY = "list";

export class ListView {
  /** @type {Tab} */
  tab = "open";

  /** @type {State} */
  state = "any";
  channel = "";

  // Those that nobody has are a queue. Each tab keeps the order that was chosen for it.
  /** @type {Partial<Record<Tab, Order>>} */
  #orders = { free: "waiting" };

  /** @param {() => void} changed */
  constructor(changed) {
    this.#restore();
    this.tabs = [...byId("tabs").querySelectorAll("button")];
    const choose = () => { this.#save(); this.#show(); changed(); };
    for (const tab of this.tabs) tab.addEventListener("click", () => { this.tab = tabOf(tab); choose(); });
    byId("list-order").addEventListener("change", ({ target }) => { this.#orders[this.tab] = value(target, ORDERS, "latest"); choose(); });
    byId("list-state").addEventListener("change", ({ target }) => { this.state = value(target, STATES, "any"); choose(); });
    byId("list-channel").addEventListener("change", () => { this.channel = byId("list-channel").value; choose(); });
    this.#show();
  }

  get order() {
    return this.#orders[this.tab] ?? "latest";
  }

  // Elsewhere, the time of the last message is enough.
  get showsWaits() {
    return this.order === "waiting" || this.state === "waiting";
  }

  get query() {
    return `show=${this.tab}&state=${this.state}&channel=${encodeURIComponent(this.channel)}&order=${this.order}`;
  }

  get emptyText() {
    const all = this.state === "any" && !this.channel;
    return say(all ? `list.empty.${this.tab}` : "list.filtered");
  }

  /**
   * Whether a conversation belongs to the list. The open one stays although it is no longer unread, for example.
   * @param {Conversation} conversation
   * @param {boolean} current
   */
  shows(conversation, current) {
    const state = current || STATES[this.state](conversation);
    return state && TABS[this.tab](conversation) && (!this.channel || this.channel === conversation.connector);
  }

  /**
   * @param {Conversation} conversation
   * @returns {number}
   */
  place(conversation) {
    return ORDERS[this.order](conversation);
  }

  /**
   * @param {Conversation} a
   * @param {Conversation} b
   */
  compare(a, b) {
    const ids = a.id < b.id ? -1 : Number(a.id > b.id);
    return this.place(a) - this.place(b) || (this.order === "waiting" ? ids : -ids);
  }

  /**
   * Where the server continues the list after a conversation.
   * @param {Conversation} conversation
   */
  cursor(conversation) {
    return `${Math.abs(this.place(conversation))}.${encodeURIComponent(conversation.id)}`;
  }

  /**
   * Offer the channels from which there are conversations. With one channel there is nothing to choose.
   * @param {Iterable<string>} names
   */
  offerChannels(names) {
    const select = byId("list-channel");
    const offered = [...select.options].map((option) => option.value);
    const fresh = new Set([...names, this.channel].filter((name) => !offered.includes(name)));
    select.append(...[...fresh].map((name) => new Option(name, name)));
    select.value = this.channel;
    byId("list-channel-field").hidden = select.options.length < 3;
  }

  #show() {
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tabOf(tab) === this.tab));
    byId("list-order").value = this.order;
    byId("list-state").value = this.state;
    byId("list-channel").value = this.channel;
  }

  #save() {
    const kept = JSON.stringify({ tab: this.tab, state: this.state, channel: this.channel, orders: this.#orders });
    attempt(() => sessionStorage.setItem(KEY, kept));
  }

  #restore() {
    /** @type {unknown} */
    const kept = attempt(() => JSON.parse(sessionStorage.getItem(KEY) ?? "null"));
    if (typeof kept !== "object" || kept === null) return;
    if ("tab" in kept) this.tab = known(kept.tab, TABS, "open");
    if ("state" in kept) this.state = known(kept.state, STATES, "any");
    if ("channel" in kept) this.channel = String(kept.channel);
    if ("orders" in kept && typeof kept.orders === "object") this.#orders = kept.orders ?? this.#orders;
  }
}

/** @param {Counts} counts */
export function showCounts({ mine, free }) {
  showCount(byId("count-mine"), mine, say("badge.unread"));
  showCount(byId("count-free"), free, say("badge.waiting"));
}

/** @param {HTMLElement} tab */
function tabOf(tab) {
  return known(tab.dataset.show, TABS, "open");
}

/**
 * @template {string} Name
 * @param {EventTarget | null} target
 * @param {Record<Name, unknown>} names
 * @param {Name} other
 */
function value(target, names, other) {
  return known(target instanceof HTMLSelectElement ? target.value : null, names, other);
}

/**
 * @template {string} Name
 * @param {unknown} name
 * @param {Record<Name, unknown>} names
 * @param {Name} other
 * @returns {Name}
 */
function known(name, names, other) {
  return typeof name === "string" && Object.hasOwn(names, name) ? /** @type {Name} */ (name) : other;
}

/**
 * @param {HTMLElement} node
 * @param {number} count
 * @param {string} words
 */
function showCount(node, count, words) {
  node.hidden = !count;
  const text = `${Math.min(count, 999)} ${words}`;
  if (node.textContent === text) return;
  node.replaceChildren(String(Math.min(count, 999)), element("span", { class: "visually-hidden" }, ` ${words}`));
}
