// @ts-check
// The lines of the conversation: messages of the server, and messages of the queue until the server has them.

import { drawBubble, newBubble } from "./bubble.js";
import { byId, element } from "./element.js";
import { day, say } from "./words.js";

/**
 * @import { Actions, AttachmentView, Line, LocalFile, MessageView, Queued, ShownFile } from "./types.d.ts"
 */

const NEAR_END = 80;

export class Transcript {
  /** @type {Map<string, MessageView>} */
  #messages = new Map();
  /** @type {Map<string, Queued>} */
  #queued = new Map();
  /** @type {Map<string, LocalFile>} */
  #local = new Map();
  /** @type {Map<string, HTMLElement>} */
  #nodes = new Map();
  #list = byId("lines");
  #scroll = byId("scroll");
  #waiting = false;
  #toEnd = true;
  #lastTop = 0;

  /** Lines up to this position were cleared on this device. */
  cleared = 0;
  closed = false;

  /**
   * @param {Actions} actions
   * @param {(node: HTMLElement, message: MessageView) => void} added called for each new line of an agent
   */
  constructor(actions, added) {
    this.actions = actions;
    this.added = added;
    this.#scroll.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      // Only scrolling up leaves the end: a picture that grows after the last move does not.
      if (scrollHeight - scrollTop - clientHeight < NEAR_END) this.#toEnd = true;
      else if (scrollTop < this.#lastTop) this.#toEnd = false;
      this.#lastTop = scrollTop;
      byId("newest").hidden = this.#toEnd;
    }, { passive: true });
    // What waits says whether it waits for the network.
    for (const type of ["online", "offline"]) addEventListener(type, () => this.draw());
    byId("newest").addEventListener("click", () => this.scrollToEnd());
    // The keyboard of a phone, a growing composer or a loaded picture must not hide the last line.
    const resized = new ResizeObserver(() => this.#toEnd && this.#jump());
    resized.observe(this.#scroll);
    resized.observe(this.#list);
    resized.observe(byId("typing"));
  }

  /** @param {Map<string, LocalFile>} files the files that this device keeps */
  setLocal(files) {
    this.#local = files;
  }

  /** @param {MessageView[]} messages */
  take(messages) {
    for (const message of messages) this.#messages.set(message.id, message);
    this.draw();
  }

  /** @param {string} id */
  has(id) {
    return this.#messages.has(id);
  }

  /** @param {Queued} record */
  queue(record) {
    if (!this.#queued.has(record.id)) this.#toEnd = true;
    this.#queued.set(record.id, record);
    for (const file of record.files) this.#local.set(file.id, file);
    this.draw();
  }

  /** @param {string} id */
  unqueue(id) {
    this.#queued.delete(id);
    this.draw();
  }

  /** The server's messages are loaded again. */
  forgetMessages() {
    this.#messages.clear();
    this.draw();
  }

  clear() {
    this.#messages.clear();
    this.#queued.clear();
    this.#local = new Map();
    this.draw();
  }

  get lastPosition() {
    return Math.max(0, ...Array.from(this.#messages.values(), ({ position }) => position));
  }

  /** @param {string} id */
  line(id) {
    return this.#lines().find((line) => line.id === id);
  }

  /** All files that can be shown in full, in order. */
  files() {
    return this.#lines().flatMap((line) => line.files.map((file) => ({ file, line })));
  }

  scrollToEnd() {
    this.#toEnd = true;
    this.#jump();
  }

  // Many changes at once are drawn once.
  draw() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const lines = this.#lines();
    const nodes = [];
    let last = "";
    for (const line of lines) {
      const today = day(line.at);
      if (today !== last) nodes.push(this.#node(`day ${today}`, () => element("li", { class: "day" }, element("span", {}, today))));
      last = today;
      const known = this.#nodes.has(line.id);
      const node = this.#node(line.id, () => newBubble(line));
      drawBubble(node, line, this.actions);
      nodes.push(node);
      const message = this.#messages.get(line.id);
      if (!known && message && !line.own) this.added(node, message);
    }
    if (this.closed) nodes.push(this.#node("closed", () => element("li", { class: "notice" }, say("closed"))));
    this.#place(nodes);
    byId("empty").hidden = lines.length > 0;
  }

  /**
   * @param {string} key
   * @param {() => HTMLElement} build
   */
  #node(key, build) {
    const node = this.#nodes.get(key) ?? build();
    this.#nodes.set(key, node);
    return node;
  }

  /** @param {HTMLElement[]} nodes */
  #place(nodes) {
    const wanted = new Set(nodes);
    const height = this.#toEnd ? 0 : this.#scroll.scrollHeight;
    const first = this.#list.querySelector(".line");
    for (const [key, node] of [...this.#nodes].filter(([, one]) => !wanted.has(one))) {
      node.remove();
      this.#nodes.delete(key);
    }
    for (const [index, node] of nodes.entries()) {
      if (this.#list.children[index] !== node) this.#list.insertBefore(node, this.#list.children[index] ?? null);
    }
    // Measuring would make the browser lay out the page.
    if (!nodes.length) return;
    if (this.#toEnd) this.#jump();
    // Older lines appear above what is read, which stays where it is.
    else if (first && this.#list.querySelector(".line") !== first) this.#scroll.scrollTop += this.#scroll.scrollHeight - height;
  }

  #jump() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  /** @returns {Line[]} */
  #lines() {
    const sent = [...this.#messages.values()].filter(({ position }) => position > this.cleared)
      .toSorted((one, other) => one.position - other.position).map((message) => this.#fromServer(message));
    const waiting = [...this.#queued.values()].filter(({ id }) => !this.#messages.has(id))
      .toSorted((one, other) => one.at - other.at).map(fromQueue);
    return [...sent, ...waiting];
  }

  /**
   * @param {MessageView} message
   * @returns {Line}
   */
  #fromServer({ id, direction, text, at, position, state, attachments, reply_to: quoted }) {
    const quote = this.#messages.get(quoted ?? "");
    const files = attachments.map((attachment) => this.#file(attachment));
    return { id, own: direction === "in", text: text ?? "", quote: quote ? quote.text ?? say("file") : null, at: Date.parse(at), position, state, reason: null, progress: 1, files };
  }

  /**
   * @param {AttachmentView} attachment
   * @returns {ShownFile}
   */
  #file({ id, upload, kind, media_type: type, name, bytes, seconds, width, height, state, reason, renditions }) {
    const local = this.#local.get(upload);
    const main = kind === "photo" ? "image" : kind;
    return {
      key: upload, id, name, type: type || local?.type || main, bytes, width, height, state, reason, renditions,
      seconds: seconds ?? local?.seconds ?? null, local: local?.blob ?? null,
    };
  }
}

/**
 * Whether a message goes out by itself once the network is back: there is nothing to press until then.
 * @param {Queued["state"]} state
 */
export function waitsForNetwork(state) {
  return !navigator.onLine && (state === "waiting" || state === "failed");
}

/**
 * @param {Queued} record
 * @returns {Line}
 */
function fromQueue({ id, text, at, state, reason, progress, files }) {
  return {
    id, own: true, text, quote: null, at, position: null, state: waitsForNetwork(state) ? "offline" : state, reason, progress,
    files: files.map((file) => ({
      key: file.id, id: null, name: file.name, type: file.type, bytes: file.bytes, seconds: file.seconds,
      width: null, height: null, local: file.blob, state: "local", reason: null, renditions: [],
    })),
  };
}
