// @ts-check
// The answer box: Enter sends, Shift and Enter starts a line. A draft, and what it quotes, wait for each conversation.

import { Refused, tell } from "./api-client.js";
import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { Writing } from "./typing-reporter.js";

/**
 * @import { Deeds } from "./actions.js"
 * @import { ChannelAbilities, Conversation, Fail, Quote, Reply } from "./types.d.ts"
 */

const form = byId("composer");
const text = byId("text");
const note = byId("composer-note");
const quote = byId("composer-quote");

/** @type {Quote | null} */
let quoted = null;

export class Composer {
  /** @type {Map<string, { words: string, quoted: Quote | null }>} */
  #drafts = new Map();

  /** @type {string | null} */
  #id = null;
  #quotes = false;

  /** @type {{ id: string, written: string, key: string } | null} */
  #unsent = null;
  #writing = new Writing();

  /**
   * @param {Deeds} deeds
   * @param {Fail} fail
   */
  constructor(deeds, fail) {
    this.deeds = deeds;
    this.fail = fail;
    byId("composer-send").append(icon("send", 20));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send().catch(fail); });
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

  /**
   * `can` says what the channel can do; it is told when a conversation is opened.
   * @param {Conversation} conversation
   * @param {ChannelAbilities} [can]
   */
  show(conversation, can) {
    if (conversation.id !== this.#id) {
      if (this.#id) this.#drafts.set(this.#id, { words: text.value, quoted });
      this.#id = conversation.id;
      const draft = this.#drafts.get(conversation.id);
      put(draft?.words ?? "", draft?.quoted ?? null);
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

  /** @param {Conversation} conversation */
  #why(conversation) {
    const { agents, assigned, open } = conversation;
    if (!open) return ["This conversation is closed.", this.deeds.mayReopen(conversation) ? action("Re-open", this.deeds.reopen) : ""];
    if (agents.length && !assigned) return [`${agents.join(", ")} answers this conversation.`, this.deeds.mayTake(conversation) ? action("Take", this.deeds.take) : ""];
    return ["Take the conversation to answer, and to see its photos and videos.", action("Take", this.deeds.take)];
  }

  async #send() {
    const id = this.#id;
    const written = text.value;
    if (id === null || !written.trim()) return;
    const answered = quoted;
    const key = this.#key(id, written);
    put("", null);
    this.#drafts.delete(id);
    this.#writing.sent();
    this.fail(null);
    if (await sendReply(id, { text: written, key, reply_to: answered?.id ?? null }, this.fail)) return;
    this.#unsent = { id, written, key };
    if (this.#id !== id) this.#drafts.set(id, { words: written, quoted: answered });
    else if (!text.value) put(written, answered);
  }

  /**
   * The key makes it safe to send again: the text goes out once, whatever happens to the answers.
   * @param {string} id
   * @param {string} written
   */
  #key(id, written) {
    const unsent = this.#unsent;
    return unsent?.id === id && unsent.written === written ? unsent.key : newKey();
  }
}

/**
 * Whether the text stands in the transcript now: then what became of it is told there. Before that, in words above.
 * @param {string} id
 * @param {Reply} reply
 * @param {Fail} fail
 */
export async function sendReply(id, reply, fail) {
  try {
    await tell(`api/conversations/${encodeURIComponent(id)}/messages`, reply);
    return true;
  } catch (refused) {
    if (refused instanceof Refused && refused.status === 502) return true;
    fail(refused);
    return false;
  }
}

/** @param {Quote} message */
export function quoteInAnswer(message) {
  setQuote(message);
  text.focus();
}

/**
 * @param {string} words
 * @param {Quote | null} answered
 */
function put(words, answered) {
  text.value = words;
  setQuote(answered);
  grow();
}

/** @param {Quote | null} message */
function setQuote(message) {
  quoted = message;
  quote.hidden = !message;
  byId("composer-quoted").textContent = message?.line ?? "";
}

// Not randomUUID, which browsers have on secure pages only.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} words
 * @param {() => void} onclick
 */
function action(words, onclick) {
  return element("button", { class: "button", type: "button", onclick }, words);
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 200)}px`;
}
