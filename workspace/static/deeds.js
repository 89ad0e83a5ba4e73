// What can be done with the open conversation: take it, hand it over, close it, open it again.

import { byId, element } from "./element.js";
import { tell } from "./server.js";

const sheet = byId("hand-over");
const warning = byId("erase");

export class Deeds {
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

  show(conversation) {
    this.conversation = conversation;
    const focused = this.node.contains(document.activeElement) || document.activeElement === document.body;
    this.node.replaceChildren(...this.#buttons());
    if (focused && !this.node.contains(document.activeElement)) byId("conversation").focus({ preventScroll: true });
  }

  take = () => this.#do("take");

  reopen = () => this.#do("reopen");

  mayTake() {
    const { agents, assigned } = this.conversation;
    return !assigned && (!agents.length || this.#oversees());
  }

  mayReopen() {
    const { agents, assigned, open } = this.conversation;
    return !open && (assigned || !agents.length || this.#oversees());
  }

  #buttons() {
    const { agents, assigned, open } = this.conversation;
    const mine = assigned || this.#oversees();
    return [
      this.mayTake() ? button("Take", this.take, agents.length ? "" : "button-main") : null,
      mine && open ? button("Hand over", () => this.#choose()) : null,
      mine && open ? button("Close", () => this.#do("close")) : null,
      this.mayReopen() ? button("Re-open", this.reopen) : null,
      !open && this.#oversees() ? button("Erase", () => warning.showModal()) : null,
    ].filter(Boolean);
  }

  #oversees() {
    return this.me.may.includes("oversee");
  }

  #choose() {
    const { agents, assigned } = this.conversation;
    const others = this.me.agents.filter((name) => agents.length !== 1 || name !== agents[0]);
    byId("hand-over-to").replaceChildren(
      ...others.filter((name) => name !== this.me.agent || !assigned).map((name) => element("option", { value: name }, name)),
      ...(assigned ? [element("option", { value: "" }, "Nobody: whoever takes it")] : []),
    );
    sheet.showModal();
  }

  #handOver(to) {
    return to ? this.#do("hand_over", to) : this.#do("leave");
  }

  async #erase() {
    const { id } = this.conversation;
    try {
      await tell(`api/conversations/${encodeURIComponent(id)}/erase`);
      this.erased(id);
    } catch (refused) {
      this.fail(refused);
    }
  }

  async #do(deed, to) {
    for (const one of this.node.children) one.disabled = true;
    try {
      await tell(`api/conversations/${encodeURIComponent(this.conversation.id)}/agents`, { do: deed, to });
    } catch (refused) {
      this.fail(refused);
    } finally {
      for (const one of this.node.children) one.disabled = false;
    }
  }
}

// A sheet asks about the conversation that it was opened for.
export function closeSheets() {
  sheet.close();
  warning.close();
}

function button(words, onclick, extra = "") {
  return element("button", { class: `button ${extra}`, type: "button", onclick }, words);
}
