// The answer box: Enter sends, Shift and Enter starts a line. A draft, and what it quotes, wait for each conversation.

import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { tell } from "./server.js";
import { Writing } from "./writing.js";

const form = byId("composer");
const text = byId("text");
const note = byId("composer-note");
const quote = byId("composer-quote");

let quoted = null;

export class Composer {
  #drafts = new Map();
  #id = null;
  #quotes = false;
  #unsent = null;
  #writing = new Writing();

  constructor(deeds, fail) {
    this.deeds = deeds;
    this.fail = fail;
    form.querySelector(".composer-send").append(icon("send", 20));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    byId("composer-unquote").append(icon("close", 18));
    byId("composer-unquote").addEventListener("click", () => { setQuote(null); text.focus(); });
    text.addEventListener("input", () => { grow(); this.#writing.typed(text.value.trim() !== ""); });
    text.addEventListener("blur", () => this.#writing.stopped());
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && quoted) setQuote(null);
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  // `can` says what the channel can do; it is told when a conversation is opened.
  show(conversation, can = null) {
    if (conversation.id !== this.#id) {
      if (this.#id) this.#drafts.set(this.#id, { words: text.value, quoted });
      this.#id = conversation.id;
      const draft = this.#drafts.get(conversation.id);
      this.#put(draft?.words ?? "", draft?.quoted ?? null);
    }
    if (can) {
      this.#quotes = can.quotes;
      this.#writing.begin(can.typing ? conversation.id : null);
    }
    const may = conversation.assigned && conversation.open;
    byId("conversation").dataset.quotes = String(this.#quotes && may);
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
    const answered = quoted;
    // The key makes it safe to send again: the text goes out once, whatever happens to the answers.
    const again = this.#unsent?.id === id && this.#unsent.written === written;
    const key = again ? this.#unsent.key : newKey();
    this.#put("", null);
    this.#drafts.delete(id);
    this.#writing.sent();
    this.fail(null);
    if (await sendReply(id, written, key, answered?.id, this.fail)) return;
    this.#unsent = { id, written, key };
    if (this.#id !== id) this.#drafts.set(id, { words: written, quoted: answered });
    else if (!text.value) this.#put(written, answered);
  }

  #put(words, answered) {
    text.value = words;
    setQuote(answered);
    grow();
  }
}

// Whether the text stands in the transcript now: then what became of it is told there. Before that, in words above.
export async function sendReply(id, written, key, answered, fail) {
  try {
    await tell(`api/conversations/${encodeURIComponent(id)}/messages`, { text: written, key, reply_to: answered ?? null });
    return true;
  } catch (refused) {
    if (refused.status !== 502) fail(refused);
    return refused.status === 502;
  }
}

export function quoteInAnswer(message) {
  setQuote(message);
  text.focus();
}

function setQuote(message) {
  quoted = message;
  quote.hidden = !message;
  byId("composer-quoted").textContent = message?.line ?? "";
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
