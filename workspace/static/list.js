// The list of conversations: latest first, kept in order while changes arrive.

import { avatar, platform } from "./consumer.js";
import { lately } from "./clock.js";
import { byId, element } from "./element.js";
import { ask } from "./server.js";

export class List {
  #entries = new Map();
  #chosen = null;
  #complete = false;
  #asking = false;

  constructor(choose) {
    this.choose = choose;
    this.node = byId("conversations");
    const end = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.more(), {
      root: byId("list-scroll"), rootMargin: "400px",
    });
    end.observe(byId("list-end"));
  }

  async load() {
    const { revision, conversations } = await ask("api/conversations");
    this.#complete = conversations.length === 0;
    this.merge(conversations);
    return revision;
  }

  async more() {
    const last = [...this.#entries.values()].at(-1)?.conversation;
    if (!last || this.#complete || this.#asking) return;
    this.#asking = true;
    try {
      const { conversations } = await ask(`api/conversations?before=${last.active_at}.${encodeURIComponent(last.id)}`);
      this.#complete = conversations.length === 0;
      this.merge(conversations);
    } finally {
      this.#asking = false;
    }
  }

  merge(conversations) {
    for (const conversation of conversations) this.#put(conversation);
    this.#order();
    byId("list-empty").hidden = this.#entries.size > 0;
    this.#count();
  }

  mark(id) {
    this.#chosen = id;
    for (const [key, { link }] of this.#entries) setCurrent(link, key === id);
  }

  get(id) {
    return this.#entries.get(id)?.conversation;
  }

  #put(conversation) {
    const known = this.#entries.get(conversation.id);
    if (known && known.conversation.revision > conversation.revision) return;
    const link = known?.link ?? element("a", { class: "entry", href: `?conversation=${encodeURIComponent(conversation.id)}` });
    fill(link, conversation);
    setCurrent(link, conversation.id === this.#chosen);
    if (known) {
      known.conversation = conversation;
      return;
    }
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.choose(conversation.id);
    });
    this.#entries.set(conversation.id, { conversation, link, item: element("li", {}, link) });
  }

  // Moves only what is out of place: a moved entry loses the keyboard's focus.
  #order() {
    const sorted = [...this.#entries].sort(([, a], [, b]) => later(a.conversation, b.conversation));
    this.#entries = new Map(sorted);
    let place = this.node.firstElementChild;
    for (const [, { item }] of sorted) {
      if (item === place) place = place.nextElementSibling;
      else this.node.insertBefore(item, place);
    }
  }

  #count() {
    const unread = [...this.#entries.values()].filter(({ conversation }) => conversation.unread).length;
    document.title = `${unread ? `(${unread}) ` : ""}${byId("brand").textContent}`;
  }
}

function later(a, b) {
  return b.active_at - a.active_at || (a.id < b.id ? 1 : -1);
}

function setCurrent(link, current) {
  if (current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

function fill(link, conversation) {
  link.dataset.unread = String(conversation.unread > 0);
  const { from, line } = conversation.last;
  link.replaceChildren(
    avatar(conversation),
    element("span", { class: "entry-words" },
      element("span", { class: "entry-name", dir: "auto" }, conversation.name),
      element("span", { class: "entry-line" }, from === "us" ? "You: " : "", element("bdi", {}, line)),
      platform(conversation, "entry-platform"),
    ),
    element("span", { class: "entry-side" },
      element("time", { datetime: new Date(conversation.active_at).toISOString() }, lately(conversation.active_at)),
      conversation.unread
        ? element("span", { class: "unread" }, String(Math.min(conversation.unread, 999)), element("span", { class: "unseen" }, " unread"))
        : null,
    ),
  );
}
