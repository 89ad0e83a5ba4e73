// The list of conversations: latest first, narrowed or searched, kept in order while changes arrive.

import { avatar, platform } from "./consumer.js";
import { exactly, lately } from "./clock.js";
import { byId, element } from "./element.js";
import { ask } from "./server.js";
import { isTyping } from "./typing.js";

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
  #known = new Map();
  #entries = new Map();
  #chosen = null;
  #show = "open";
  #sought = "";
  #complete = false;
  #asking = false;
  #turn = 0;

  constructor(choose, fail) {
    this.choose = choose;
    this.fail = fail;
    this.node = byId("conversations");
    this.#watchEnd();
    this.#watchTabs();
    this.#watchSearch();
  }

  async load() {
    const turn = ++this.#turn;
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

  // What changed on the server. A search shows what was found; only what stands there is kept fresh.
  merge(conversations) {
    for (const conversation of conversations) {
      this.#known.set(conversation.id, conversation);
      const listed = this.#entries.has(conversation.id);
      if (this.#sought ? listed : BELONGS[this.#show](conversation)) this.#put(conversation);
      else if (listed) this.#drop(conversation.id);
    }
    this.#settle();
  }

  mark(id) {
    this.#chosen = id;
    for (const [key, { link }] of this.#entries) setCurrent(link, key === id);
  }

  get(id) {
    return this.#known.get(id);
  }

  forget(id) {
    this.#known.delete(id);
    if (this.#entries.has(id)) this.#drop(id);
    this.#settle();
  }

  #address() {
    return `api/conversations?show=${this.#show}&q=${encodeURIComponent(this.#sought)}`;
  }

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

  #link(conversation) {
    const link = element("a", { class: "entry", href: `?conversation=${encodeURIComponent(conversation.id)}` });
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.choose(conversation.id);
    });
    return link;
  }

  // Draws the entry anew when nobody has said for long enough that they still write.
  #stopTyping({ id, typing_until: until }) {
    setTimeout(() => {
      const known = this.#entries.get(id);
      if (known) fill(known.link, known.conversation);
    }, until - Date.now() + 50);
  }

  #drop(id) {
    this.#entries.get(id).item.remove();
    this.#entries.delete(id);
  }

  #settle() {
    this.#order();
    const empty = byId("list-empty");
    empty.hidden = this.#entries.size > 0;
    empty.textContent = this.#sought ? "Nothing was found." : EMPTY[this.#show];
    const unread = [...this.#entries.values()].filter(({ conversation }) => conversation.unread).length;
    document.title = `${unread ? `(${unread}) ` : ""}${byId("brand").textContent}`;
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

  #watchEnd() {
    const end = new IntersectionObserver(
      (seen) => { if (seen.some((one) => one.isIntersecting)) this.more().catch(this.fail); },
      { root: byId("list-scroll"), rootMargin: "400px" },
    );
    end.observe(byId("list-end"));
    // Observed anew after each page: who still sees the end by then wants the next one.
    this.lookAgain = () => { end.unobserve(byId("list-end")); end.observe(byId("list-end")); };
  }

  #watchTabs() {
    const tabs = [...byId("tabs").children];
    for (const tab of tabs) {
      tab.addEventListener("click", () => {
        this.#show = tab.dataset.show;
        for (const other of tabs) other.setAttribute("aria-pressed", String(other === tab));
        this.load().catch(this.fail);
      });
    }
  }

  #watchSearch() {
    let pause;
    byId("sought").addEventListener("input", (event) => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        this.#sought = event.target.value.trim();
        this.load().catch(this.fail);
      }, TYPING_PAUSE);
    });
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

function unread(count) {
  return element("span", { class: "unread" }, String(Math.min(count, 999)), element("span", { class: "unseen" }, " unread"));
}

function holders({ agents, assigned, open }) {
  const words = assigned ? "Yours" : agents.join(", ");
  return element("span", { class: "entry-holder" }, [words, open ? "" : "closed"].filter(Boolean).join(", "));
}
