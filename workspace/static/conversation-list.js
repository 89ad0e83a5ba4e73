// @ts-check
// The list of conversations: latest first, narrowed or searched, kept in order while changes arrive.

import { ask } from "./api-client.js";
import { avatar, platform } from "./consumer.js";
import { byId, element } from "./element.js";
import { exactly, lately } from "./time-format.js";
import { isTyping } from "./typing-indicator.js";

/** @import { Conversation, Fail } from "./types.d.ts" */

/** @typedef {keyof typeof EMPTY} Narrowing */
/** @typedef {{ conversation: Conversation, link: HTMLAnchorElement, item: HTMLLIElement }} Entry */

/** @type {Record<Narrowing, (conversation: Conversation) => boolean>} */
const BELONGS = {
  all: () => true,
  open: (conversation) => conversation.open,
  closed: (conversation) => !conversation.open,
  mine: (conversation) => conversation.assigned,
};

const EMPTY = {
  all: "Nothing has arrived yet. Messages appear here by themselves.",
  open: "No open conversations. New messages appear here by themselves.",
  closed: "No closed conversations.",
  mine: "You have no conversations. Open one and take it.",
};

const TYPING_PAUSE = 180;

export class List {
  /** @type {Map<string, Conversation>} */
  #known = new Map();

  /** @type {Map<string, Entry>} */
  #entries = new Map();

  /** @type {string | null} */
  #chosen = null;

  /** @type {Narrowing} */
  #show = "open";
  #sought = "";
  #complete = false;
  #asking = false;
  #turn = 0;

  /**
   * @param {(id: string) => void} choose
   * @param {Fail} fail
   */
  constructor(choose, fail) {
    this.choose = choose;
    this.fail = fail;
    this.node = byId("conversations");
    this.lookAgain = this.#watchEnd();
    this.#watchTabs();
    this.#watchSearch();
  }

  async load() {
    this.#turn += 1;
    const turn = this.#turn;
    const { revision, conversations } = await ask(this.#address());
    if (turn !== this.#turn) return revision;
    this.#entries.clear();
    this.node.replaceChildren();
    this.#complete = conversations.length === 0 || this.#sought !== "";
    for (const conversation of conversations) this.#put(conversation);
    this.#settle();
    return revision;
  }

  async more() {
    const last = [...this.#entries.values()].at(-1)?.conversation;
    if (!last || this.#complete || this.#asking) return;
    const turn = this.#turn;
    this.#asking = true;
    try {
      const { conversations } = await ask(`${this.#address()}&before=${last.active_at}.${encodeURIComponent(last.id)}`);
      if (turn !== this.#turn) return;
      this.#complete = conversations.length === 0;
      for (const conversation of conversations) this.#put(conversation);
      this.#settle();
      if (!this.#complete) this.lookAgain();
    } finally {
      this.#asking = false;
    }
  }

  /**
   * What changed on the server. A search shows what was found; only what stands there is kept fresh.
   * @param {Conversation[]} conversations
   */
  merge(conversations) {
    for (const conversation of conversations) {
      this.#known.set(conversation.id, conversation);
      const listed = this.#entries.has(conversation.id);
      if (this.#sought ? listed : BELONGS[this.#show](conversation)) this.#put(conversation);
      else if (listed) this.#drop(conversation.id);
    }
    this.#settle();
  }

  /** @param {string | null} id */
  mark(id) {
    this.#chosen = id;
    for (const [key, { link }] of this.#entries) setCurrent(link, key === id);
  }

  /** @param {string | null} id */
  get(id) {
    return id === null ? undefined : this.#known.get(id);
  }

  /** @param {string} id */
  forget(id) {
    this.#known.delete(id);
    if (this.#entries.has(id)) this.#drop(id);
    this.#settle();
  }

  #address() {
    return /** @type {const} */ (`api/conversations?show=${this.#show}&q=${encodeURIComponent(this.#sought)}`);
  }

  /** @param {Conversation} conversation */
  #put(conversation) {
    const known = this.#entries.get(conversation.id);
    this.#known.set(conversation.id, conversation);
    const link = known?.link ?? this.#link(conversation);
    const shown = this.#sought && known ? { ...conversation, last: known.conversation.last } : conversation;
    fill(link, shown);
    setCurrent(link, conversation.id === this.#chosen);
    if (isTyping(conversation)) this.#stopTyping(conversation);
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
   * Draws the entry anew when nobody has said for long enough that they still write.
   * @param {Conversation} conversation
   */
  #stopTyping({ id, typing_until: until }) {
    setTimeout(() => {
      const known = this.#entries.get(id);
      if (known) fill(known.link, known.conversation);
    }, until - Date.now() + 50);
  }

  /** @param {string} id */
  #drop(id) {
    this.#entries.get(id)?.item.remove();
    this.#entries.delete(id);
  }

  #settle() {
    this.#order();
    const empty = byId("list-empty");
    empty.hidden = this.#entries.size > 0;
    empty.textContent = this.#sought ? "Nothing was found." : EMPTY[this.#show];
    const waiting = [...this.#entries.values()].filter(({ conversation }) => conversation.unread).length;
    document.title = `${waiting ? `(${waiting}) ` : ""}${byId("brand").textContent}`;
  }

  // Moves only what is out of place: a moved entry loses the keyboard's focus.
  #order() {
    const sorted = [...this.#entries].sort(([, a], [, b]) => later(a.conversation, b.conversation));
    this.#entries = new Map(sorted);
    let place = this.node.firstElementChild;
    for (const [, { item }] of sorted) {
      if (item === place) place = item.nextElementSibling;
      else this.node.insertBefore(item, place);
    }
  }

  #watchEnd() {
    const end = new IntersectionObserver(
      (seen) => { if (seen.some((one) => one.isIntersecting)) this.more().catch(this.fail); },
      { root: byId("list-scroll"), rootMargin: "400px" },
    );
    end.observe(byId("list-end"));
    // Observed anew after each page: who still sees the end by then wants the next one.
    return () => { end.unobserve(byId("list-end")); end.observe(byId("list-end")); };
  }

  #watchTabs() {
    const tabs = byId("tabs").querySelectorAll("button");
    for (const tab of tabs) {
      tab.addEventListener("click", () => {
        this.#show = /** @type {Narrowing} */ (tab.dataset.show);
        for (const other of tabs) other.setAttribute("aria-pressed", String(other === tab));
        this.load().catch(this.fail);
      });
    }
  }

  #watchSearch() {
    const field = byId("sought");
    /** @type {number | undefined} */
    let pause;
    field.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        this.#sought = field.value.trim();
        this.load().catch(this.fail);
      }, TYPING_PAUSE);
    });
  }
}

/**
 * @param {Conversation} a
 * @param {Conversation} b
 */
function later(a, b) {
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
    element("span", { class: "entry-words" },
      element("span", { class: "entry-name", dir: "auto", title: conversation.consumer }, conversation.name),
      isTyping(conversation)
        ? element("span", { class: "entry-line entry-typing" }, "is writing …")
        : element("span", { class: "entry-line" }, from ? `${from}: ` : "", element("bdi", {}, line)),
      element("span", { class: "entry-state" }, platform(conversation, "entry-platform"), holders(conversation)),
    ),
    element("span", { class: "entry-side" },
      element("time", { datetime: new Date(at).toISOString(), title: exactly(at) }, lately(at)),
      conversation.unread ? unread(conversation.unread) : null,
    ),
  );
}

/** @param {number} count */
function unread(count) {
  return element("span", { class: "unread" }, String(Math.min(count, 999)), element("span", { class: "unseen" }, " unread"));
}

/** @param {Conversation} conversation */
function holders({ agents, assigned, open }) {
  const words = assigned ? "Yours" : agents.join(", ");
  return element("span", { class: "entry-holder" }, [words, open ? "" : "closed"].filter(Boolean).join(", "));
}
