// @ts-check
// The lines of the open conversation. Older lines load on scrolling up; new lines appear as they arrive.

import { getJson } from "./api-client.js";
import { byId, element } from "./element.js";
import { messageNode, updateMessage } from "./message.js";
import { formatDay, startOfDay } from "./time-format.js";

/** @import { Conversation, ShowError, Line } from "./types.d.ts" */

// Within this distance (pixels) from the end, the page scrolls to new lines automatically.
const NEAR_END = 120;

// Lines of one side within this time are shown as a group.
const GROUP_WITHIN = 3 * 60 * 1000;

export class Transcript {
  /** @type {Map<number, { line: Line, node: HTMLElement }>} */
  #lines = new Map();

  /** @type {string | null} */
  #id = null;
  #revision = 0;
  #atBeginning = false;
  // How often lines arrived that belong above the loaded part.
  #above = 0;
  #loading = false;
  // Whether the last line stays in view as lines arrive and grow. Only scrolling up ends that: while the page moves to a
  // new last line, the end is not near either.
  #following = true;
  #lastTop = 0;

  /** @param {ShowError} showError */
  constructor(showError) {
    this.assigned = false;
    this.customer = "";
    this.node = byId("lines");
    this.scroll = byId("scroll");
    this.newer = byId("newer");
    this.newer.addEventListener("click", () => this.#scrollToEnd("smooth"));
    this.scroll.addEventListener("scroll", () => {
      const { scrollTop } = this.scroll;
      if (this.#isNearEnd()) this.#following = true;
      else if (scrollTop < this.#lastTop) this.#following = false;
      this.#lastTop = scrollTop;
      if (this.#following) this.newer.hidden = true;
    }, { passive: true });
    // When the reply box grows, the lines have less room. If the end was visible, it stays visible.
    new ResizeObserver(() => { if (this.#following) this.#scrollToEnd("instant"); }).observe(this.scroll);
    const top = new IntersectionObserver(
      (seen) => { if (seen.some((one) => one.isIntersecting)) this.loadEarlier().catch(showError); },
      { root: this.scroll, rootMargin: "600px 0px 0px 0px" },
    );
    top.observe(byId("earlier"));
    // Observe again after each page: if the top is still visible, the next page loads.
    this.observeTopAgain = () => { top.unobserve(byId("earlier")); top.observe(byId("earlier")); };
  }

  get id() {
    return this.#id;
  }

  // The last change that is shown.
  get revision() {
    return this.#revision;
  }

  /**
   * @param {Conversation} conversation
   * @param {Line[]} lines
   * @param {number} revision
   */
  show({ id, assigned }, lines, revision) {
    const again = id === this.#id;
    const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop;
    this.#id = id;
    this.assigned = assigned;
    this.#lines.clear();
    this.#revision = revision;
    this.#atBeginning = lines.length === 0;
    this.newer.hidden = true;
    this.node.replaceChildren();
    this.#merge(lines);
    this.#markUnread();
    if (again) this.scroll.scrollTop = this.scroll.scrollHeight - fromEnd;
    else this.#scrollToEnd("instant");
  }

  // Mark the first message that was unread when the conversation was opened.
  #markUnread() {
    const incoming = this.#sorted().filter(({ line }) => line.direction === "in");
    const first = incoming.find(({ line }) => isUnread(line));
    if (first && first !== incoming[0]) first.node.dataset.firstUnread = "true";
  }

  /**
   * Who the lines are from.
   * @param {string} name
   */
  setCustomer(name) {
    if (name === this.customer) return;
    this.customer = name;
    for (const { line, node } of this.#lines.values()) updateMessage(node, line, name);
  }

  // The positions of answers that are shown as failed.
  failed() {
    return this.#sorted().filter(({ line }) => line.direction === "out" && line.failed).map(({ line }) => line.position);
  }

  clear() {
    this.#id = null;
    this.#lines.clear();
    this.node.replaceChildren();
  }

  // Load changes from the server. The caller makes sure that only one call runs at a time.
  async refresh() {
    const id = this.#id;
    if (id === null) return [];
    /** @type {Line[]} */
    const fresh = [];
    while (true) {
      // biome-ignore lint/performance/noAwaitInLoops: each page begins where the previous one ended
      const { lines } = await getJson(`api/conversations/${encodeURIComponent(id)}/lines?since=${this.#revision}`);
      if (id !== this.#id) return [];
      fresh.push(...lines.filter((line) => !this.#lines.has(line.position)));
      this.#apply(lines);
      const last = lines.at(-1);
      if (!last) return fresh;
      this.#revision = last.revision;
    }
  }

  async loadEarlier() {
    const first = this.#sorted()[0]?.line;
    const id = this.#id;
    if (id === null || !first || this.#atBeginning || this.#loading) return;
    this.#loading = true;
    const above = this.#above;
    try {
      const { lines } = await getJson(`api/conversations/${encodeURIComponent(id)}/lines?before=${first.placed_at}.${first.sequence}.${first.position}`);
      if (id !== this.#id) return;
      this.#atBeginning = lines.length === 0 && above === this.#above;
      const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop;
      this.#merge(lines);
      this.scroll.scrollTop = this.scroll.scrollHeight - fromEnd;
      if (!this.#atBeginning) this.observeTopAgain();
    } finally {
      this.#loading = false;
    }
  }

  /** @param {Line[]} lines */
  #apply(lines) {
    const follow = this.#following;
    const last = this.#sorted().at(-1)?.line;
    const fresh = lines.some((line) => !this.#lines.has(line.position) && (!last || order(last, line) < 0));
    const loaded = lines.filter((line) => this.#lines.has(line.position) || this.#isInLoadedRange(line));
    this.#keepInView(follow ? null : this.#firstInView(), () => this.#merge(loaded));
    if (loaded.length < lines.length) {
      this.#above += 1;
      this.observeTopAgain();
    }
    if (follow) this.#scrollToEnd("smooth");
    else if (fresh) this.newer.hidden = false;
  }

  #firstInView() {
    const { top } = this.scroll.getBoundingClientRect();
    return [...this.node.children].find((node) => node.getBoundingClientRect().bottom > top) ?? null;
  }

  /**
   * Keep a line where it is while lines are added above it, such as those of a merged conversation.
   * @param {Element | null} line
   * @param {() => void} change
   */
  #keepInView(line, change) {
    const before = line?.getBoundingClientRect().top ?? 0;
    change();
    if (line?.isConnected) this.scroll.scrollTop += line.getBoundingClientRect().top - before;
  }

  /**
   * Whether a line is in the loaded part. Changes in older lines show when those lines are loaded.
   * @param {Line} line
   */
  #isInLoadedRange(line) {
    const first = this.#sorted()[0]?.line;
    return this.#atBeginning || !first || order(first, line) < 0;
  }

  /** @param {Line[]} lines */
  #merge(lines) {
    for (const line of lines) {
      const known = this.#lines.get(line.position);
      if (known) {
        known.line = line;
        updateMessage(known.node, line, this.customer);
      } else {
        this.#lines.set(line.position, { line, node: messageNode(line, this.customer) });
      }
    }
    this.#layOut();
  }

  #layOut() {
    let place = this.node.firstElementChild;
    /** @type {Line | null} */
    let above = null;
    for (const { line, node } of this.#sorted()) {
      if (!above || startOfDay(above.at) !== startOfDay(line.at)) place = this.#day(line, place);
      node.dataset.follows = String(above !== null && above.direction === line.direction && line.at - above.at < GROUP_WITHIN);
      while (place && place !== node && place.classList.contains("day")) place = removeAndNext(place);
      if (place === node) place = node.nextElementSibling;
      else this.node.insertBefore(node, place);
      above = line;
    }
    while (place) place = removeAndNext(place);
  }

  /**
   * @param {Line} line
   * @param {Element | null} above
   */
  #day(line, above) {
    const day = String(startOfDay(line.at));
    let place = above;
    while (place?.classList.contains("day") && place.getAttribute("data-day") !== day) place = removeAndNext(place);
    if (place?.classList.contains("day")) return place.nextElementSibling;
    this.node.insertBefore(element("li", { class: "day", "data-day": day }, formatDay(line.at)), place);
    return place;
  }

  #sorted() {
    return [...this.#lines.values()].sort((a, b) => order(a.line, b.line));
  }

  #isNearEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_END;
  }

  /** @param {ScrollBehavior} behavior */
  #scrollToEnd(behavior) {
    this.#following = true;
    this.scroll.scrollTo({ top: this.scroll.scrollHeight, behavior });
  }
}

/** @param {Line} line */
export function isUnread(line) {
  return line.direction === "in" && line.unread;
}

/**
 * @param {Line} a
 * @param {Line} b
 */
function order(a, b) {
  return a.placed_at - b.placed_at || a.sequence - b.sequence || a.position - b.position;
}

/** @param {Element} node */
function removeAndNext(node) {
  const next = node.nextElementSibling;
  node.remove();
  return next;
}
