// @ts-check
// Reports to the consumer that the agent is typing, no more often than platforms need it.

import { postJson } from "./api-client.js";

// Platforms show the indicator for at least 20 seconds. Repeated this often, it does not stop while the agent types.
const REPEAT_AFTER = 12_000;

// After this long without input, the agent no longer counts as typing.
const IDLE_AFTER = 8000;

export class TypingReporter {
  /** @type {string | null} */
  #id = null;
  #reportedAt = 0;

  /** @type {number | undefined} */
  #idleTimer = undefined;

  /**
   * `id` is the conversation, or null if its channel does not show typing.
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

  // A sent message ends the indicator, so nothing is reported.
  reset() {
    clearTimeout(this.#idleTimer);
    this.#reportedAt = 0;
  }

  /**
   * Report without waiting. A failure does not concern the agent.
   * @param {boolean} typing
   */
  #report(typing) {
    if (this.#id) postJson(`api/conversations/${encodeURIComponent(this.#id)}/typing`, { typing }).catch(() => null);
  }
}
