// @ts-check
// Buttons for the open conversation: take, hand over, close, reopen, erase.

import { postJson } from "./api-client.js";
import { byId, element } from "./element.js";
import { say } from "./words.js";

/** @import { AssignmentAction, Conversation, ShowError, Me } from "./types.d.ts" */

const handOverDialog = byId("hand-over");
const eraseDialog = byId("erase");

export class ConversationActions {
  /** @type {Conversation | null} */
  #conversation = null;

  /**
   * @param {Me} me
   * @param {ShowError} showError
   * @param {(id: string) => void} erased
   */
  constructor(me, showError, erased) {
    this.erased = erased;
    this.me = me;
    this.showError = showError;
    this.node = byId("actions");
    byId("hand-over-cancel").addEventListener("click", () => handOverDialog.close());
    byId("erase-cancel").addEventListener("click", () => eraseDialog.close());
    byId("erase-form").addEventListener("submit", () => this.#erase());
    byId("hand-over-form").addEventListener("submit", () => this.#handOver(byId("hand-over-to").value, byId("hand-over-note").value));
  }

  /** @param {Conversation} conversation */
  show(conversation) {
    this.#conversation = conversation;
    const focused = this.node.contains(document.activeElement) || document.activeElement === document.body;
    this.node.replaceChildren(...this.#buttons(conversation));
    if (focused && !this.node.contains(document.activeElement)) byId("conversation").focus({ preventScroll: true });
  }

  take = () => this.#perform("take");

  async takeIfPossible() {
    if (this.#conversation && this.mayTake(this.#conversation)) await this.take();
  }

  reopen = () => this.#perform("reopen");

  /** @param {Conversation} conversation */
  mayTake({ agents, assigned }) {
    return !assigned && (!agents.length || this.#mayOversee());
  }

  /** @param {Conversation} conversation */
  mayReopen({ agents, assigned, open }) {
    return !open && (assigned || !agents.length || this.#mayOversee());
  }

  /** @param {Conversation} conversation */
  #buttons(conversation) {
    const { agents, assigned, open } = conversation;
    const may = assigned || this.#mayOversee();
    return [
      this.mayTake(conversation) ? button(say("action.take"), this.take, agents.length ? "" : "button-main") : null,
      may && open ? button(say("action.hand_over"), () => this.#askForAgent(conversation)) : null,
      assigned && open ? button(say(agents.length > 1 ? "action.leave" : "action.give_back"), () => this.#perform("leave")) : null,
      may && open ? button(say("action.close"), () => this.#perform("close")) : null,
      this.mayReopen(conversation) ? button(say("action.reopen"), this.reopen) : null,
      !open && this.#mayOversee() ? button(say("action.erase"), () => eraseDialog.showModal()) : null,
    ].filter((one) => one !== null);
  }

  #mayOversee() {
    return this.me.may.includes("oversee");
  }

  /** @param {Conversation} conversation */
  #askForAgent({ agents, assigned }) {
    const others = this.me.agents.filter((name) => agents.length !== 1 || name !== agents[0]);
    byId("hand-over-to").replaceChildren(
      ...others.filter((name) => name !== this.me.agent || !assigned).map((name) => element("option", { value: name }, name)),
      ...(assigned ? [element("option", { value: "" }, say("hand_over.nobody"))] : []),
    );
    byId("hand-over-note").value = "";
    handOverDialog.showModal();
  }

  /**
   * @param {string} to
   * @param {string} note
   */
  #handOver(to, note) {
    return to ? this.#perform("hand_over", to, note) : this.#perform("leave", "", note);
  }

  async #erase() {
    if (!this.#conversation) return;
    const { id } = this.#conversation;
    try {
      await postJson(`api/conversations/${encodeURIComponent(id)}/erase`, {});
      this.erased(id);
    } catch (error) {
      this.showError(error);
    }
  }

  /**
   * @param {AssignmentAction} action
   * @param {string} to
   * @param {string} note
   */
  async #perform(action, to = "", note = "") {
    if (!this.#conversation) return;
    this.#setDisabled(true);
    try {
      await postJson(`api/conversations/${encodeURIComponent(this.#conversation.id)}/agents`, { do: action, to, note });
    } catch (error) {
      this.showError(error);
    } finally {
      this.#setDisabled(false);
    }
  }

  /** @param {boolean} disabled */
  #setDisabled(disabled) {
    for (const one of this.node.querySelectorAll("button")) one.disabled = disabled;
  }
}

// A dialog is about one conversation, so it closes when another one is opened.
export function closeDialogs() {
  handOverDialog.close();
  eraseDialog.close();
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function button(text, onclick, extra = "") {
  return element("button", { class: `button ${extra}`, type: "button", onclick }, text);
}
