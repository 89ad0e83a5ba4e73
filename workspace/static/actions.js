// @ts-check
// What can be done with the open conversation: take it, hand it over, close it, open it again.

import { tell } from "./api-client.js";
import { byId, element } from "./element.js";

/** @import { AgentsDeed, Conversation, Fail, Me } from "./types.d.ts" */

const sheet = byId("hand-over");
const warning = byId("erase");

export class Deeds {
  /** @type {Conversation | null} */
  #conversation = null;

  /**
   * @param {Me} me
   * @param {Fail} fail
   * @param {(id: string) => void} erased
   */
  constructor(me, fail, erased) {
    this.erased = erased;
    this.me = me;
    this.fail = fail;
    this.node = byId("deeds");
    byId("hand-over-cancel").addEventListener("click", () => sheet.close());
    byId("erase-cancel").addEventListener("click", () => warning.close());
    byId("erase-form").addEventListener("submit", () => this.#erase());
    byId("hand-over-form").addEventListener("submit", () => this.#handOver(byId("hand-over-to").value));
  }

  /** @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    const focused = this.node.contains(document.activeElement) || document.activeElement === document.body;
    this.node.replaceChildren(...this.#buttons(conversation));
    if (focused && !this.node.contains(document.activeElement)) byId("conversation").focus({ preventScroll: true });
  }

  take = () => this.#do("take");

  reopen = () => this.#do("reopen");

  /** @param {Conversation} conversation */
  mayTake({ agents, assigned }) {
    return !assigned && (!agents.length || this.#oversees());
  }

  /** @param {Conversation} conversation */
  mayReopen({ agents, assigned, open }) {
    return !open && (assigned || !agents.length || this.#oversees());
  }

  /** @param {Conversation} conversation */
  #buttons(conversation) {
    const { agents, assigned, open } = conversation;
    const mine = assigned || this.#oversees();
    return [
      this.mayTake(conversation) ? button("Take", this.take, agents.length ? "" : "button-main") : null,
      mine && open ? button("Hand over", () => this.#choose(conversation)) : null,
      mine && open ? button("Close", () => this.#do("close")) : null,
      this.mayReopen(conversation) ? button("Re-open", this.reopen) : null,
      !open && this.#oversees() ? button("Erase", () => warning.showModal()) : null,
    ].filter((one) => one !== null);
  }

  #oversees() {
    return this.me.may.includes("oversee");
  }

  /** @param {Conversation} conversation */
  #choose({ agents, assigned }) {
    const others = this.me.agents.filter((name) => agents.length !== 1 || name !== agents[0]);
    byId("hand-over-to").replaceChildren(
      ...others.filter((name) => name !== this.me.agent || !assigned).map((name) => element("option", { value: name }, name)),
      ...(assigned ? [element("option", { value: "" }, "Nobody: whoever takes it")] : []),
    );
    sheet.showModal();
  }

  /** @param {string} to */
  #handOver(to) {
    return to ? this.#do("hand_over", to) : this.#do("leave");
  }

  async #erase() {
    if (!this.#conversation) return;
    const { id } = this.#conversation;
    try {
      await tell(`api/conversations/${encodeURIComponent(id)}/erase`, {});
      this.erased(id);
    } catch (refused) {
      this.fail(refused);
    }
  }

  /**
   * @param {AgentsDeed} deed
   * @param {string} to
   */
  async #do(deed, to = "") {
    if (!this.#conversation) return;
    this.#setDisabled(true);
    try {
      await tell(`api/conversations/${encodeURIComponent(this.#conversation.id)}/agents`, { do: deed, to });
    } catch (refused) {
      this.fail(refused);
    } finally {
      this.#setDisabled(false);
    }
  }

  /** @param {boolean} disabled */
  #setDisabled(disabled) {
    for (const one of this.node.querySelectorAll("button")) one.disabled = disabled;
  }
}

// A sheet asks about the conversation that it was opened for.
export function closeSheets() {
  sheet.close();
  warning.close();
}

/**
 * @param {string} words
 * @param {() => void} onclick
 */
function button(words, onclick, extra = "") {
  return element("button", { class: `button ${extra}`, type: "button", onclick }, words);
}
