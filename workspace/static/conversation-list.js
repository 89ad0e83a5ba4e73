// @ts-check
// The list of conversations, with filters and search, kept in order while changes arrive.

import { announce } from "./announcer.js";
import { getJson } from "./api-client.js";
import { byId, element } from "./element.js";
import { fillEntry } from "./entry.js";
import { ListView, showCounts } from "./list-view.js";
import { isTyping, typingTime } from "./typing-indicator.js";
import { say, sayCount } from "./words.js";

/** @import { Conversation, Counts, ShowError } from "./types.d.ts" */

/** @typedef {{ conversation: Conversation, link: HTMLAnchorElement, item: HTMLLIElement }} Entry */

const SEARCH_DELAY = 180;

// The server lists as many at once.
const PAGE = 60;

export class ConversationList {
  /** @type {Map<string, Conversation>} */
  #known = new Map();

  /** @type {Map<string, Entry>} */
  #entries = new Map();

  /** @type {string | null} */
  #current = null;

  // The last entry that the server listed. What belongs below it is loaded when the list is scrolled there.
  /** @type {Conversation | null} */
  #last = null;

  #query = "";
  #complete = false;
  #loading = false;
  #generation = 0;
  #failed = 0;
  #mine = 0;

  /**
   * @param {(id: string) => void} choose
   * @param {ShowError} showError
   */
  constructor(choose, showError) {
    this.choose = choose;
    this.showError = showError;
    this.node = byId("conversations");
    this.view = new ListView(() => this.#reload());
    this.observeEndAgain = this.#watchEnd();
    this.#watchKeys();
    this.#watchSearch();
  }

  async load() {
    this.#generation += 1;
    const generation = this.#generation;
    const loaded = await getJson(this.#address());
    if (generation !== this.#generation) return loaded;
    this.#entries.clear();
    this.node.replaceChildren();
    this.view.offerChannels(loaded.channels);
    this.showCounts(loaded.counts);
    this.node.dataset.waits = String(this.view.showsWaits);
    this.#append(loaded.conversations);
    return loaded;
  }

  #reload() {
    this.load().then(() => { this.showError(null); announce(this.#found()); }, this.showError);
  }

  // An empty list has a status of its own.
  #found() {
    const count = this.#entries.size;
    if (!count) return "";
    const found = sayCount("list.found", count);
    return count < PAGE ? found : say("list.more", { found });
  }

  async loadMore() {
    if (!this.#last || this.#complete || this.#loading) return;
    const generation = this.#generation;
    this.#loading = true;
    try {
      const { conversations } = await getJson(`${this.#address()}&before=${this.view.cursor(this.#last)}`);
      if (generation !== this.#generation) return;
      this.#append(conversations);
      if (!this.#complete) this.observeEndAgain();
    } finally {
      this.#loading = false;
    }
  }

  /** @param {Conversation[]} conversations */
  #append(conversations) {
    this.#complete = conversations.length === 0 || this.#query !== "";
    this.#last = conversations.at(-1) ?? this.#last;
    for (const conversation of conversations) this.#upsert(conversation);
    this.#update();
  }

  /**
   * Apply changes from the server. During a search, only entries that are already listed are updated.
   * @param {Conversation[]} conversations
   */
  merge(conversations) {
    const focused = this.#focused();
    for (const conversation of conversations) {
      this.#known.set(conversation.id, conversation);
      const listed = this.#entries.has(conversation.id);
      if (this.#query ? listed : this.#belongs(conversation)) this.#upsert(conversation);
      else if (listed) this.#remove(conversation.id);
    }
    this.view.offerChannels(conversations.map(({ connector }) => connector));
    this.#update();
    this.#keepFocus(focused);
  }

  /** @param {Conversation} conversation */
  #belongs(conversation) {
    if (!this.view.shows(conversation, conversation.id === this.#current)) return false;
    return this.#complete || !this.#last || this.view.compare(conversation, this.#last) <= 0;
  }

  // The place of the focus in the list, and what has it.
  #focused() {
    const place = [...this.#entries.values()].findIndex(({ link }) => link === document.activeElement);
    return place < 0 ? null : { place, link: document.activeElement };
  }

  /**
   * An entry that was moved or removed has lost the focus. The focus stays with the entry, or else with its place.
   * @param {{ place: number, link: Element | null } | null} before
   */
  #keepFocus(before) {
    if (before === null || document.activeElement === before.link) return;
    const links = [...this.#entries.values()].map(({ link }) => link);
    const next = links.find((link) => link === before.link) ?? links[Math.min(before.place, links.length - 1)];
    (next ?? byId("search")).focus({ preventScroll: next === before.link });
  }

  /** @param {string | null} id */
  markCurrent(id) {
    this.#current = id;
    for (const [key, { link }] of this.#entries) setCurrent(link, key === id);
  }

  // The conversation below the open one, or the first.
  next() {
    const ids = [...this.#entries.keys()];
    return ids[ids.indexOf(this.#current ?? "") + 1] ?? ids[0] ?? null;
  }

  /** @param {string | null} id */
  get(id) {
    return id === null ? undefined : this.#known.get(id);
  }

  /** @param {string} id */
  remove(id) {
    this.#known.delete(id);
    if (this.#entries.has(id)) this.#remove(id);
    this.#update();
  }

  #address() {
    return /** @type {const} */ (`api/conversations?${this.view.query}&q=${encodeURIComponent(this.#query)}`);
  }

  /** @param {Conversation} conversation */
  #upsert(conversation) {
    const known = this.#entries.get(conversation.id);
    this.#known.set(conversation.id, conversation);
    const link = known?.link ?? this.#link(conversation);
    const shown = this.#query && known ? { ...conversation, last: known.conversation.last } : conversation;
    fillEntry(link, shown);
    setCurrent(link, conversation.id === this.#current);
    if (isTyping(conversation)) this.#clearTypingLater(conversation);
    if (known) known.conversation = shown;
    else this.#entries.set(conversation.id, { conversation: shown, link, item: element("li", {}, link) });
  }

  /** @param {Conversation} conversation */
  #link(conversation) {
    const link = element("a", { class: "entry", href: `?conversation=${encodeURIComponent(conversation.id)}` });
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.choose(conversation.id);
    });
    return link;
  }

  /**
   * Redraw the entry when the consumer no longer counts as typing.
   * @param {Conversation} conversation
   */
  #clearTypingLater(conversation) {
    setTimeout(() => {
      const known = this.#entries.get(conversation.id);
      if (known) fillEntry(known.link, known.conversation);
    }, typingTime(conversation) + 50);
  }

  /** @param {string} id */
  #remove(id) {
    this.#entries.get(id)?.item.remove();
    this.#entries.delete(id);
  }

  #update() {
    this.#sort();
    const empty = byId("list-empty");
    empty.hidden = this.#entries.size > 0;
    empty.textContent = this.#query ? say("list.none") : this.view.emptyText;
  }

  /**
   * Show in the title how many answers did not arrive.
   * @param {number} count
   */
  showFailed(count) {
    this.#failed = count;
    this.#showTitle();
  }

  /**
   * Show how many conversations wait, also those that are not loaded.
   * @param {Counts} counts
   */
  showCounts(counts) {
    this.#mine = counts.mine;
    showCounts(counts);
    this.#showTitle();
  }

  #showTitle() {
    const failures = this.#failed ? `${sayCount("failed.title", this.#failed)} · ` : "";
    document.title = `${failures}${this.#mine ? `(${this.#mine}) ` : ""}${byId("brand").textContent}`;
  }

  // Move only entries that are out of place, because a moved entry loses the keyboard focus.
  #sort() {
    const compare = this.#query ? byActivity : this.view.compare.bind(this.view);
    const sorted = [...this.#entries].sort(([, a], [, b]) => compare(a.conversation, b.conversation));
    this.#entries = new Map(sorted);
    let place = this.node.firstElementChild;
    for (const [, { item }] of sorted) {
      if (item === place) place = item.nextElementSibling;
      else this.node.insertBefore(item, place);
    }
  }

  #watchEnd() {
    const end = new IntersectionObserver(
      (seen) => { if (seen.some((one) => one.isIntersecting)) this.loadMore().catch(this.showError); },
      { root: byId("list-scroll"), rootMargin: "400px" },
    );
    end.observe(byId("list-end"));
    // Observe again after each page: if the end is still visible, the next page loads.
    return () => { end.unobserve(byId("list-end")); end.observe(byId("list-end")); };
  }

  // The arrows move along the list, which may be long.
  #watchKeys() {
    this.node.addEventListener("keydown", (event) => {
      const links = [...this.#entries.values()].map(({ link }) => link);
      const place = links.findIndex((link) => link.contains(document.activeElement));
      /** @type {Partial<Record<string, HTMLAnchorElement | undefined>>} */
      const targets = { ArrowDown: links[place + 1], ArrowUp: links[place - 1], Home: links[0], End: links.at(-1) };
      const target = targets[event.key];
      if (place < 0 || !target || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      target.focus();
    });
  }

  #watchSearch() {
    const field = byId("search");
    /** @type {number | undefined} */
    let timer;
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#query = field.value.trim();
        this.#reload();
      }, SEARCH_DELAY);
    });
  }
}

/**
 * @param {Conversation} a
 * @param {Conversation} b
 */
function byActivity(a, b) {
  return b.active_at - a.active_at || (a.id < b.id ? 1 : -1);
}

/**
 * @param {HTMLElement} link
 * @param {boolean} current
 */
function setCurrent(link, current) {
  if (current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}
