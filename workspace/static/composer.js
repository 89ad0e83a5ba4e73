// @ts-check
// The reply box. Enter sends; Shift+Enter starts a new line. Each conversation keeps its own draft and quote.

import { ApiError, postJson } from "./api-client.js";
import { showComposerHint } from "./composer-hint.js";
import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { TypingReporter } from "./typing-reporter.js";

/**
 * @import { ConversationActions } from "./actions.js"
 * @import { ChannelAbilities, Conversation, ShowError, Quote, Reply } from "./types.d.ts"
 */

const form = byId("composer");
const text = byId("text");
const note = byId("composer-note");
const quote = byId("composer-quote");

/** @type {Quote | null} */
let quoted = null;

export class Composer {
  /** @type {Map<string, { text: string, quoted: Quote | null }>} */
  #drafts = new Map();

  /** @type {Map<string, string>} */
  #merged = new Map();

  /** @type {string | null} */
  #id = null;
  #canQuote = false;

  /** @type {{ id: string, draft: string, key: string } | null} */
  #unsent = null;
  #typingReporter = new TypingReporter();

  /**
   * @param {ConversationActions} actions
   * @param {ShowError} showError
   */
  constructor(actions, showError) {
    this.actions = actions;
    this.showError = showError;
    byId("composer-send").append(icon("send", 20));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send().catch(showError); });
    byId("composer-unquote").append(icon("close", 18));
    byId("composer-unquote").addEventListener("click", () => { setQuote(null); text.focus(); });
    text.addEventListener("input", () => { fitHeight(); this.#typingReporter.inputChanged(text.value.trim() !== ""); });
    text.addEventListener("blur", () => this.#typingReporter.stop());
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && quoted) setQuote(null);
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  /**
   * `can` is what the channel supports. It is only known when the conversation is opened.
   * @param {Conversation} conversation
   * @param {ChannelAbilities} [can]
   */
  show(conversation, can) {
    if (conversation.id !== this.#id) {
      if (this.#id) this.#drafts.set(this.#id, { text: text.value, quoted });
      this.#id = conversation.id;
      const saved = this.#drafts.get(conversation.id);
      setDraft(saved?.text ?? "", saved?.quoted ?? null);
    }
    if (can) {
      this.#canQuote = can.quotes;
      this.#typingReporter.setConversation(can.typing ? conversation.id : null);
    }
    const may = conversation.assigned && conversation.open;
    byId("conversation").dataset.quotes = String(this.#canQuote && may);
    form.hidden = !may;
    showComposerHint(may ? conversation : null);
    note.hidden = may;
    if (!may) note.replaceChildren(...this.#explain(conversation));
  }

  /**
   * A conversation was merged into another one: what was written for both goes there.
   * @param {string} id
   * @param {string} stays
   */
  follow(id, stays) {
    if (this.#id) this.#drafts.set(this.#id, { text: text.value, quoted });
    const drafts = [this.#drafts.get(stays), this.#drafts.get(id)];
    const draft = drafts.map((one) => one?.text.trim()).filter(Boolean).join("\n");
    const answered = drafts.find((one) => one?.quoted)?.quoted ?? null;
    this.#merged.set(id, stays);
    this.#drafts.delete(id);
    this.#drafts.set(stays, { text: draft, quoted: answered });
    if (this.#unsent?.id === id) this.#unsent.id = stays;
    if (this.#id !== id && this.#id !== stays) return;
    this.#id = stays;
    if (text.value.trim() !== draft || quoted !== answered) setDraft(draft, answered);
  }

  /**
   * Return where the text of a conversation belongs now.
   * @param {string} id
   * @returns {string}
   */
  #current(id) {
    const stays = this.#merged.get(id);
    return stays === undefined ? id : this.#current(stays);
  }

  /** @param {Conversation} conversation */
  #explain(conversation) {
    const { agents, assigned, open } = conversation;
    if (!open) return ["This conversation is closed.", this.actions.mayReopen(conversation) ? actionButton("Reopen", this.actions.reopen) : ""];
    if (agents.length && !assigned) return [`This conversation is with ${agents.join(", ")}.`, this.actions.mayTake(conversation) ? actionButton("Take", this.actions.take) : ""];
    return ["Take the conversation to reply and to see its photos and other files.", actionButton("Take", this.actions.take)];
  }

  async #send() {
    const id = this.#id;
    const draft = text.value;
    if (id === null || !draft.trim()) return;
    const answered = quoted;
    const key = this.#key(id, draft);
    setDraft("", null);
    this.#drafts.delete(id);
    this.#typingReporter.reset();
    this.showError(null);
    if (await sendReply(id, { text: draft, key, reply_to: answered?.id ?? null }, this.showError)) return;
    const now = this.#current(id);
    this.#unsent = { id: now, draft, key };
    if (this.#id !== now) this.#drafts.set(now, { text: draft, quoted: answered });
    else if (!text.value) setDraft(draft, answered);
  }

  /**
   * The key makes a retry safe: the text is sent once, even if responses are lost.
   * @param {string} id
   * @param {string} draft
   */
  #key(id, draft) {
    const unsent = this.#unsent;
    return unsent?.id === id && unsent.draft === draft ? unsent.key : newKey();
  }
}

/**
 * Send a reply. Returns whether the text is now in the transcript, which shows its status. Other errors are shown.
 * @param {string} id
 * @param {Reply} reply
 * @param {ShowError} showError
 */
export async function sendReply(id, reply, showError) {
  try {
    await postJson(`api/conversations/${encodeURIComponent(id)}/messages`, reply);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 502) return true;
    showError(error);
    return false;
  }
}

/** @param {Quote} message */
export function quoteInReply(message) {
  setQuote(message);
  text.focus();
}

/**
 * @param {string} content
 * @param {Quote | null} answered
 */
function setDraft(content, answered) {
  text.value = content;
  setQuote(answered);
  fitHeight();
}

/** @param {Quote | null} message */
function setQuote(message) {
  quoted = message;
  quote.hidden = !message;
  byId("composer-quoted").textContent = message?.line ?? "";
}

// Not randomUUID, which is only available on secure pages.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} label
 * @param {() => void} onclick
 */
function actionButton(label, onclick) {
  return element("button", { class: "button", type: "button", onclick }, label);
}

function fitHeight() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 200)}px`;
}
