// @ts-check
// Messages that wait to be sent. They survive a closed tab, and one tab sends for all. Texts do not wait for files.

import { call, Refused } from "./api.js";
import { Lane } from "./lane.js";
import { isLosing, keepFile, put, queuedMessages, remove } from "./store.js";

/** @import { LimitsView, MessageView, Queued } from "./types.d.ts" */

const LONGEST_PAUSE = 60_000;
/** Files that stay on the device to be shown there. */
const KEPT_FILES = 20;

/**
 * @typedef {object} Owner
 * @property {string} site
 * @property {string} consumer
 * @property {LimitsView} limits
 * @property {(record: Queued) => void} changed
 * @property {(id: string, message: MessageView | null) => void} left called when a record left the queue, sent or cancelled
 */

export class Queue {
  /** @type {Map<string, Queued>} Every record that this tab knows, also those that another tab sends. */
  #records = new Map();

  /** @type {Map<string, AbortController>} */
  #running = new Map();

  /** @type {BroadcastChannel | null} */
  #tabs = null;

  #ended = new AbortController();

  #texts;
  #files;

  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner;
    this.#texts = new Lane(this, `${owner.site}-texts`, (record) => !record.files.length);
    this.#files = new Lane(this, `${owner.site}-files`, (record) => record.files.length > 0);
  }

  /** @param {string} [former] the consumer whose conversation is now this one's */
  async start(former) {
    const { consumer } = this.owner;
    if (former && former !== consumer) for (const record of await queuedMessages(former)) await put("queue", record.id, { ...record, consumer });
    for (const record of await queuedMessages(consumer)) this.#note(record);
    const { signal } = this.#ended;
    try {
      this.#tabs = new BroadcastChannel(`airlock-queue-${this.owner.site}-${this.owner.consumer}`);
      this.#tabs.addEventListener("message", ({ data }) => this.#fromOtherTab(data), { signal });
    } catch {
      // Without the channel each tab sees its own messages, and the others' from the server.
    }
    addEventListener("online", () => this.wake(), { signal });
    addEventListener("pageshow", () => this.wake(), { signal });
    document.addEventListener("visibilitychange", () => this.wake(), { signal });
    addEventListener("beforeunload", (event) => {
      if (isLosing() && this.#records.size) event.preventDefault();
    }, { signal });
    this.wake();
  }

  end() {
    this.#ended.abort();
    for (const running of this.#running.values()) running.abort();
    this.#tabs?.close();
    this.#texts.end();
    this.#files.end();
  }

  get records() {
    return [...this.#records.values()];
  }

  /** @param {Queued} record */
  async add(record) {
    this.#note(record);
    await put("queue", record.id, record);
    this.#tabs?.postMessage({ added: record.id });
    this.wake();
  }

  /** @param {string} id */
  async retry(id) {
    const record = this.#records.get(id);
    if (!record) return;
    this.update(record, { state: "waiting", reason: null });
    await put("queue", id, record);
    this.#tabs?.postMessage({ added: id });
    this.wake();
  }

  /**
   * The server has a message, whatever became of our own request.
   * @param {MessageView[]} messages
   */
  async settle(messages) {
    for (const message of messages) {
      const record = this.#records.get(message.id);
      if (record) await this.#finish(record, message);
    }
  }

  /**
   * @param {Queued} record
   * @param {MessageView} message
   */
  async #finish(record, message) {
    for (const file of record.files) await keepFile(record.consumer, file, KEPT_FILES);
    await this.drop(record.id, message);
  }

  /** @param {string} id */
  async cancel(id) {
    this.#running.get(id)?.abort();
    const files = this.#records.get(id)?.files ?? [];
    await this.drop(id, null);
    for (const file of files) call("DELETE", `uploads/${file.id}`).catch(() => undefined);
  }

  /** Try at once: the network is back, or somebody looks at the page. */
  wake() {
    this.#texts.wake();
    this.#files.wake();
  }

  /**
   * @param {Queued} record
   * @param {Partial<Queued>} changes
   */
  update(record, changes) {
    Object.assign(record, changes);
    this.owner.changed(record);
    const { id, state, reason, tries, progress } = record;
    this.#tabs?.postMessage({ changed: { id, state, reason, tries, progress } });
  }

  /**
   * @param {string} id
   * @param {MessageView | null} message
   */
  async drop(id, message) {
    this.#records.delete(id);
    await remove("queue", id);
    this.#tabs?.postMessage({ dropped: id, message });
    this.owner.left(id, message);
  }

  /**
   * Send one message. Returns the milliseconds to wait before the next attempt, 0 if the message left the queue.
   * @param {Queued} record
   */
  async attempt(record) {
    const running = new AbortController();
    this.#running.set(record.id, running);
    this.update(record, { state: "sending", reason: null });
    try {
      await this.#finish(record, await this.#send(record, running.signal));
      return 0;
    } catch (error) {
      if (running.signal.aborted) return 0;
      return await this.#failed(record, error);
    } finally {
      this.#running.delete(record.id);
    }
  }

  /**
   * @param {Queued} record
   * @param {AbortSignal} signal
   * @returns {Promise<MessageView>}
   */
  async #send(record, signal) {
    const whole = record.files.reduce((sum, file) => sum + file.bytes, 0);
    let before = 0;
    for (const file of record.files) {
      const start = before;
      const { upload } = await import("./uploading.js");
      await upload(file, {
        resume: record.tries > 0, part: this.owner.limits.part_bytes, signal,
        moved: (share) => this.update(record, { progress: (start + share * file.bytes) / whole }),
      });
      before += file.bytes;
    }
    const content = {
      ...(record.text ? { text: record.text } : {}), uploads: record.files.map((file) => file.id),
    };
    return (await call("PUT", `messages/${record.id}`, { json: content, signal })).json();
  }

  /**
   * @param {Queued} record
   * @param {unknown} error
   */
  async #failed(record, error) {
    const refused = error instanceof Refused ? error : null;
    // An upload that the server has forgotten or not seen whole is sent again from where the server is.
    const passing = !refused || refused.passing || refused.status === 401 || refused.code === "upload_incomplete";
    const tries = record.tries + 1;
    this.update(record, { state: passing ? "failed" : "refused", reason: refused?.code ?? null, tries });
    const { id } = record;
    if (this.#records.has(id)) await put("queue", id, record);
    return passing ? Math.max(refused?.wait ?? 0, Math.min(LONGEST_PAUSE, 1000 * 2 ** (tries - 1))) : 0;
  }

  /** @param {Queued} record */
  #note(record) {
    const known = { ...record, progress: 0, state: record.state === "sending" ? /** @type {const} */ ("waiting") : record.state };
    this.#records.set(record.id, known);
    this.owner.changed(known);
  }

  /** @param {{ added?: string, dropped?: string, message?: MessageView | null, changed?: Partial<Queued> & { id: string } }} news */
  async #fromOtherTab({ added, dropped, message, changed }) {
    if (dropped) {
      this.#running.get(dropped)?.abort();
      this.#records.delete(dropped);
      this.owner.left(dropped, message ?? null);
    }
    const record = changed && this.#records.get(changed.id);
    if (record && !this.#running.has(record.id)) this.owner.changed(Object.assign(record, changed));
    if (added) {
      const found = (await queuedMessages(this.owner.consumer)).find(({ id }) => id === added);
      if (found && !this.#running.has(added)) this.#note(found);
      this.wake();
    }
  }
}
