// @ts-check
// A running recording on the disk: its parts are kept as they come, so that a tab that crashes loses the last seconds
// alone, and a long recording needs no memory.

import { newId } from "./api.js";
import { all, put, remove } from "./store.js";

/**
 * @typedef {object} Part
 * @property {string} id of the recording
 * @property {string} consumer
 * @property {number} number
 * @property {number} at when it came
 * @property {number} seconds from the beginning of the recording
 * @property {string} type
 * @property {Blob} blob
 */

/** Where tabs cannot say that they record: so old are the last parts of a recording that was interrupted. */
const QUIET = 15_000;

export class KeptRecording {
  #id = newId();
  #number = 0;
  #writes = Promise.resolve();
  /** @type {(() => void) | null} */
  #release = null;

  /** @param {string} consumer */
  constructor(consumer) {
    this.consumer = consumer;
    // Another tab must not take it for one that was interrupted.
    void navigator.locks?.request(lockName(this.#id), () => /** @type {Promise<void>} */ (new Promise((resolve) => {
      this.#release = resolve;
    })));
  }

  /**
   * @param {Blob} blob
   * @param {number} seconds
   */
  add(blob, seconds) {
    const part = { id: this.#id, consumer: this.consumer, number: this.#number, at: Date.now(), seconds, type: blob.type, blob };
    this.#number += 1;
    this.#writes = this.#writes.then(() => put("parts", keyOf(part), part));
  }

  /** The whole recording. @param {string} type */
  async whole(type) {
    await this.#writes;
    return joined(await partsOf(this.#id), type);
  }

  async drop() {
    await this.#writes;
    this.#release?.();
    await drop(this.#id);
  }
}

/**
 * The last recording that this consumer's tab could not end, if there is one.
 * @param {string} consumer
 */
export async function interrupted(consumer) {
  const running = await navigator.locks?.query();
  const held = new Set(running?.held?.map(({ name }) => name));
  /** @type {Part[]} */
  const parts = await all("parts");
  const last = parts.toSorted((one, other) => other.at - one.at)
    .find((part) => part.consumer === consumer && !held.has(lockName(part.id)) && (running || Date.now() - part.at > QUIET));
  if (!last) return null;
  const [type = "video/mp4"] = last.type.split(";");
  return { blob: joined(await partsOf(last.id), type), seconds: last.seconds, drop: () => drop(last.id) };
}

/** @param {string} id */
async function partsOf(id) {
  /** @type {Part[]} */
  const parts = await all("parts");
  return parts.filter((part) => part.id === id).toSorted((one, other) => one.number - other.number);
}

/** @param {Part[]} parts @param {string} type */
function joined(parts, type) {
  return new Blob(parts.map(({ blob }) => blob), { type });
}

/** @param {string} id */
async function drop(id) {
  for (const part of await partsOf(id)) await remove("parts", keyOf(part));
}

/** @param {{ id: string, number: number }} part */
function keyOf({ id, number }) {
  return `${id} ${number}`;
}

/** @param {string} id */
function lockName(id) {
  return `airlock-recording-${id}`;
}
