// @ts-check
// The list of conversations: latest first, with filters and search, kept in order while changes arrive.

import { getJson } from "./api-client.js";
import { avatar, platformLabel } from "./consumer.js";
import { byId, element } from "./element.js";
import { formatFull, formatRecent } from "./time-format.js";
import { isTyping, typingTime } from "./typing-indicator.js";

/** @import { Conversation, ShowError } from "./types.d.ts" */

/** @typedef {keyof typeof EMPTY_TEXTS} FilterName */
/** @typedef {{ conversation: Conversation, link: HTMLAnchorElement, item: HTMLLIElement }} Entry */

/** @type {Record<FilterName, (conversation: Conversation) => boolean>} */
const FILTERS = {
  all: () => true,
  open: (conversation) => conversation.open,
  closed: (conversation) => !conversation.open,
  mine: (conversation) => conversation.assigned,
};

const EMPTY_TEXTS = {
  all: "No messages yet. New messages appear here automatically.",
  open: "No open conversations. New messages appear here automatically.",
  closed: "No closed conversations.",
  mine: "You have no conversations yet. Open one and choose Take.",
};

const SEARCH_DELAY = 180;

export class ConversationList {
  /** @type {Map<string, Conversation>} */
  #known = new Map();

  /** @type {Map<string, Entry>} */
  #entries = new Map();

  /** @type {string | null} */
  #current = null;

  /** @type {FilterName} */
  #filter = "open";
  #query = "";
  #complete = false;
  #loading = false;
  #generation = 0;
  #failed = 0;

  /**
   * @param {(id: string) => void} choose
   * @param {ShowError} showError
   */
  constructor(choose, showError) {
    this.choose = choose;
    this.showError = showError;
    this.node = byId("conversations");
    this.observeEndAgain = this.#watchEnd();
    this.#watchTabs();
    this.#watchSearch();
  }

  async load() {
    this.#generation += 1;
    const generation = this.#generation;
    const { revision, conversations, undelivered } = await getJson(this.#address());
    if (generation !== this.#generation) return { revision, undelivered };
    this.#entries.clear();
    this.node.replaceChildren();
    this.#complete = conversations.length === 0 || this.#query !== "";
    for (const conversation of conversations) this.#upsert(conversation);
    this.#update();
    return { revision, undelivered };
  }

  #reload() {
    this.load().then(() => this.showError(null), this.showError);
  }

  async loadMore() {
    const last = [...this.#entries.values()].at(-1)?.conversation;
    if (!last || this.#complete || this.#loading) return;
    const generation = this.#generation;
    this.#loading = true;
    try {
      const { conversations } = await getJson(`${this.#address()}&before=${last.active_at}.${encodeURIComponent(last.id)}`);
      if (generation !== this.#generation) return;
      this.#complete = conversations.length === 0;
      for (const conversation of conversations) this.#upsert(conversation);
      this.#update();
      if (!this.#complete) this.observeEndAgain();
    } finally {
      this.#loading = false;
    }
  }

  /**
   * Apply changes from the server. During a search, only entries that are already listed are updated.
   * @param {Conversation[]} conversations
   */
  merge(conversations) {
    for (const conversation of conversations) {
      this.#known.set(conversation.id, conversation);
      const listed = this.#entries.has(conversation.id);
      if (this.#query ? listed : FILTERS[this.#filter](conversation)) this.#upsert(conversation);
      else if (listed) this.#remove(conversation.id);
    }
    this.#update();
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
    return /** @type {const} */ (`api/conversations?show=${this.#filter}&q=${encodeURIComponent(this.#query)}`);
  }

  /** @param {Conversation} conversation */
  #upsert(conversation) {
    const known = this.#entries.get(conversation.id);
    this.#known.set(conversation.id, conversation);
    const link = known?.link ?? this.#link(conversation);
    const shown = this.#query && known ? { ...conversation, last: known.conversation.last } : conversation;
    fill(link, shown);
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
      if (known) fill(known.link, known.conversation);
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
    empty.textContent = this.#query ? "No conversations found." : EMPTY_TEXTS[this.#filter];
    this.#showTitle();
  }

  /**
   * Tell in the title how many answers did not arrive.
   * @param {number} count
   */
  showFailed(count) {
    this.#failed = count;
    this.#showTitle();
  }

  #showTitle() {
    const waiting = [...this.#entries.values()].filter(({ conversation }) => conversation.unread).length;
    const failures = this.#failed === 1 ? "1 answer failed · " : `${this.#failed} answers failed · `;
    document.title = `${this.#failed ? failures : ""}${waiting ? `(${waiting}) ` : ""}${byId("brand").textContent}`;
  }

  // Move only entries that are out of place, because a moved entry loses the keyboard focus.
  #sort() {
    const sorted = [...this.#entries].sort(([, a], [, b]) => byActivity(a.conversation, b.conversation));
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

  #watchTabs() {
    const tabs = byId("tabs").querySelectorAll("button");
    for (const tab of tabs) {
      tab.addEventListener("click", () => {
        this.#filter = /** @type {FilterName} */ (tab.dataset.show);
        for (const other of tabs) other.setAttribute("aria-pressed", String(other === tab));
        this.#reload();
      });
    }
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

/**
 * @param {HTMLElement} link
 * @param {Conversation} conversation
 */
function fill(link, conversation) {
  link.dataset.unread = String(conversation.unread > 0);
  const { from, line } = conversation.last;
  const at = conversation.active_at;
  link.replaceChildren(
    avatar(conversation),
    element("span", { class: "entry-text" },
      element("span", { class: "entry-name", dir: "auto", title: conversation.consumer }, conversation.name),
      isTyping(conversation)
        ? element("span", { class: "entry-line entry-typing" }, "is typing…")
        : element("span", { class: "entry-line" }, from ? `${from}: ` : "", element("bdi", {}, line)),
      element("span", { class: "entry-state" }, failed(conversation.undelivered), platformLabel(conversation, "entry-platform"), holders(conversation)),
    ),
    element("span", { class: "entry-side" },
      element("time", { datetime: new Date(at).toISOString(), title: formatFull(at) }, formatRecent(at)),
      conversation.unread ? unread(conversation.unread) : null,
    ),
  );
}

/** @param {number} count */
function unread(count) {
  return element("span", { class: "unread" }, String(Math.min(count, 999)), element("span", { class: "visually-hidden" }, " unread"));
}

/** @param {number} count */
function failed(count) {
  if (!count) return null;
  return element("span", { class: "entry-failed" }, count === 1 ? "Answer failed" : `${count} answers failed`);
}

/** @param {Conversation} conversation */
function holders({ agents, assigned, open }) {
  const text = assigned ? "Yours" : agents.join(", ");
  return element("span", { class: "entry-holder" }, [text, open ? "" : "closed"].filter(Boolean).join(", "));
}
