// The answer box: Enter sends, Shift and Enter starts a line, a draft waits for each conversation.

import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { tell } from "./server.js";

const form = byId("composer");
const text = byId("text");
const note = byId("composer-note");

export class Composer {
  #drafts = new Map();
  #id = null;

  constructor(deeds, fail) {
    this.deeds = deeds;
    this.fail = fail;
    form.querySelector("button").append(icon("send", 20));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    text.addEventListener("input", grow);
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  show(conversation) {
    if (conversation.id !== this.#id) {
      if (this.#id) this.#drafts.set(this.#id, text.value);
      this.#id = conversation.id;
      text.value = this.#drafts.get(conversation.id) ?? "";
      grow();
    }
    const may = conversation.assigned && conversation.open;
    form.hidden = !may;
    note.hidden = may;
    if (!may) note.replaceChildren(...this.#why(conversation));
  }

  #why({ agents, assigned, open }) {
    if (!open) return ["This conversation is closed.", this.deeds.mayReopen() ? action("Re-open", this.deeds.reopen) : ""];
    if (agents.length && !assigned) return [`${agents.join(", ")} answers this conversation.`, this.deeds.mayTake() ? action("Take", this.deeds.take) : ""];
    return ["Take the conversation to answer, and to see its photos and videos.", action("Take", this.deeds.take)];
  }

  async #send() {
    const id = this.#id;
    const written = text.value;
    if (!written.trim()) return;
    text.value = "";
    grow();
    this.#drafts.delete(id);
    // The key makes it safe to send again: the text goes out once, whatever happens to the answers.
    await sendReply(id, written, newKey(), this.fail);
  }
}

// A refusal is shown beside the text itself, where there is one; before that, in words above.
export async function sendReply(id, written, key, fail) {
  try {
    await tell(`api/conversations/${encodeURIComponent(id)}/messages`, { text: written, key });
  } catch (refused) {
    if (refused.status !== 502) fail(refused);
  }
}

// Not randomUUID, which browsers have on secure pages only.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function action(words, onclick) {
  return element("button", { class: "button", type: "button", onclick }, words);
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 200)}px`;
}
