// @ts-check
// Tells the consumer that an answer is being written, as seldom as platforms want to hear it.

import { tell } from "./api-client.js";

// Platforms show the sign for 20 seconds and more; told again this often, it does not go out between two words.
const AGAIN_AFTER = 12_000;

// Whoever has written nothing for this long is not writing.
const IDLE = 8000;

export class Writing {
  /** @type {string | null} */
  #id = null;
  #told = 0;

  /** @type {number | undefined} */
  #idle = undefined;

  /**
   * `id` is the conversation; null where the consumer cannot see it.
   * @param {string | null} id
   */
  begin(id) {
    if (id === this.#id) return;
    this.stopped();
    this.#id = id;
  }

  /** @param {boolean} anything */
  typed(anything) {
    if (!anything) {
      this.stopped();
      return;
    }
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stopped(), IDLE);
    if (Date.now() - this.#told < AGAIN_AFTER) return;
    this.#told = Date.now();
    this.#tell(true);
  }

  stopped() {
    if (this.#told) this.#tell(false);
    this.sent();
  }

  // The text itself ends the sign.
  sent() {
    clearTimeout(this.#idle);
    this.#told = 0;
  }

  /**
   * A courtesy: whether it worked is nothing to trouble an agent with.
   * @param {boolean} typing
   */
  #tell(typing) {
    if (this.#id) tell(`api/conversations/${encodeURIComponent(this.#id)}/typing`, { typing }).catch(() => null);
  }
}
