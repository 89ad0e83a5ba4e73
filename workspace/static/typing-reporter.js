// @ts-check
// Tells the consumer that an answer is being written, as seldom as platforms want to hear it.

import { postJson } from "./api-client.js";

// Platforms show the sign for 20 seconds and more; told again this often, it does not go out between two words.
const REPEAT_AFTER = 12_000;

// Whoever has written nothing for this long is not writing.
const IDLE_AFTER = 8000;

export class TypingReporter {
  /** @type {string | null} */
  #id = null;
  #reportedAt = 0;

  /** @type {number | undefined} */
  #idleTimer = undefined;

  /**
   * `id` is the conversation; null where the consumer cannot see it.
   * @param {string | null} id
   */
  setConversation(id) {
    if (id === this.#id) return;
    this.stop();
    this.#id = id;
  }

  /** @param {boolean} hasText */
  inputChanged(hasText) {
    if (!hasText) {
      this.stop();
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.stop(), IDLE_AFTER);
    if (Date.now() - this.#reportedAt < REPEAT_AFTER) return;
    this.#reportedAt = Date.now();
    this.#report(true);
  }

  stop() {
    if (this.#reportedAt) this.#report(false);
    this.reset();
  }

  // The text itself ends the sign.
  reset() {
    clearTimeout(this.#idleTimer);
    this.#reportedAt = 0;
  }

  /**
   * A courtesy: whether it worked is nothing to trouble an agent with.
   * @param {boolean} typing
   */
  #report(typing) {
    if (this.#id) postJson(`api/conversations/${encodeURIComponent(this.#id)}/typing`, { typing }).catch(() => null);
  }
}
