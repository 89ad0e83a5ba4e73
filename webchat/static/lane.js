// @ts-check
// Messages of one sort, sent in order, by one tab at a time.

import { pause } from "./api.js";
import { isKept } from "./store.js";

/**
 * @import { Queue } from "./queue.js"
 * @import { Queued } from "./types.d.ts"
 */

// A tab that the system suspended may hold the lock for as long as it likes.
const LOCK_PATIENCE = 45_000;

export class Lane {
  #busy = false;
  #again = false;
  #ended = false;
  #pause = new AbortController();

  /**
   * @param {Queue} queue
   * @param {string} name
   * @param {(record: Queued) => boolean} takes
   */
  constructor(queue, name, takes) {
    this.queue = queue;
    this.name = name;
    this.takes = takes;
  }

  end() {
    this.#ended = true;
    this.#pause.abort();
  }

  wake() {
    this.#again = true;
    this.#pause.abort();
    if (!(this.#busy || this.#ended)) void this.#run();
  }

  async #run() {
    this.#busy = true;
    while (this.#again && !this.#ended) {
      this.#again = false;
      const wait = this.#next() ? await alone(`airlock-queue-${this.name}`, () => this.#work()) : 0;
      // A request to go on that came meanwhile is served at once.
      if (wait && !this.#again) await this.#rest(wait);
    }
    this.#busy = false;
  }

  /** @param {number} wait */
  async #rest(wait) {
    this.#pause = new AbortController();
    await pause(wait, this.#pause.signal);
    this.#again = true;
  }

  #next() {
    return this.queue.records
      .filter((record) => this.takes(record) && record.state !== "refused")
      .toSorted((one, other) => one.at - other.at)[0];
  }

  async #work() {
    for (let record = this.#next(); record && !this.#ended; record = this.#next()) {
      const wait = await this.queue.attempt(record);
      if (wait) return wait;
    }
    return 0;
  }
}

/**
 * Run in one tab at a time, where tabs share anything.
 * @template Result
 * @param {string} name
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
async function alone(name, work) {
  if (!(isKept() && navigator.locks)) return work();
  let started = false;
  const begin = () => {
    started = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(LOCK_PATIENCE) }, begin);
  } catch (error) {
    // The work catches its own errors: this is the lock that did not come, or was taken from us.
    if (started) return /** @type {any} */ (0);
    if (error instanceof DOMException && error.name === "TimeoutError") return navigator.locks.request(name, { steal: true }, begin);
    return begin();
  }
}
