// @ts-check
// The reply box. Enter sends; Shift+Enter starts a new line. Each conversation keeps its own draft and quote.

import { ApiError, postJson } from "./api-client.js";
import { showComposerHint } from "./composer-hint.js";
import { Drafts, joined } from "./drafts.js";
import { byId, element } from "./element.js";
import { icon } from "./icons.js";
import { reportTyping } from "./presence.js";
import { TypingReporter } from "./typing-reporter.js";
import { refuseFiles } from "./unsendable.js";
import { listed, say } from "./words.js";

/**
 * @import { ConversationActions } from "./actions.js"
 * @import { ChannelAbilities, Conversation, Draft, OpenedConversation, ShowError, Quote, Reply } from "./types.d.ts"
 */

const form = byId("composer");
const text = byId("text");
const note = byId("composer-note");
const quote = byId("composer-quote");

/** @type {Quote | null} */
let quoted = null;

export class Composer {
  /** @type {Map<string, string>} */
  #merged = new Map();

  /** @type {string | null} */
  #id = null;
  #canQuote = false;

  /** @type {Draft["tried"]} */
  #tried = null;
  #inFlight = new Set();
  #typingReporter = new TypingReporter();

  /**
   * @param {string} agent
   * @param {ConversationActions} actions
   * @param {ShowError} showError
   */
  constructor(agent, actions, showError) {
    this.actions = actions;
    this.showError = showError;
    this.drafts = new Drafts(agent);
    this.drafts.watch((id, before, now) => {
      if (id === this.#id && text.value === before.text) this.#put(now);
    });
    byId("composer-send").append(icon("send", 20));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send().catch(showError); });
    byId("composer-unquote").append(icon("close", 18));
    byId("composer-unquote").addEventListener("click", () => quoteInReply(null));
    text.addEventListener("input", () => {
      fitHeight();
      this.#keep();
      this.#typingReporter.inputChanged(text.value.trim() !== "");
      reportTyping(text.value.trim() !== "");
    });
    refuseFiles(text, showError);
    text.addEventListener("blur", () => this.#typingReporter.stop());
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && quoted) quoteInReply(null);
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
      this.#id = conversation.id;
      this.#put(this.drafts.get(conversation.id));
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
   * Collect the drafts of a conversation that is opened: those of conversations that were merged into it meanwhile, and
   * texts whose sending was interrupted, unless they are in the transcript.
   * @param {string} id
   * @param {OpenedConversation} opened
   */
  restore(id, { merged, lines }) {
    const sent = new Set(lines.map((line) => line.direction === "out" ? line.key : null));
    const all = [...merged, ...[id, ...merged].map(sendingId).filter((one) => !this.#inFlight.has(one))];
    for (const one of [id, ...all]) {
      const { text: draft, tried } = this.drafts.get(one);
      if (tried?.text.trim() === draft.trim() && sent.has(tried.key)) this.drafts.delete(one);
    }
    this.drafts.move(all, id);
    if (this.#id === id) this.#update();
  }

  /**
   * A conversation was merged into another one: what was written for both goes there.
   * @param {string} id
   * @param {string} stays
   */
  follow(id, stays) {
    this.#merged.set(id, stays);
    this.drafts.move([id], stays);
    if (this.#id !== id && this.#id !== stays) return;
    this.#id = stays;
    this.#update();
  }

  /**
   * Nothing that was written for an erased conversation stays.
   * @param {string} id
   */
  forget(id) {
    this.drafts.delete(id);
    this.drafts.delete(sendingId(id));
    if (this.#id !== id) return;
    this.#id = null;
    setDraft("", null);
  }

  #keep() {
    if (this.#id) this.drafts.set(this.#id, { text: text.value, quoted, tried: this.#tried });
  }

  /** @param {Draft} draft */
  #put(draft) {
    this.#tried = draft.tried;
    setDraft(draft.text, draft.quoted);
  }

  // Show the stored draft, unless the box has it: writing into the box moves the cursor.
  #update() {
    const draft = this.#id === null ? null : this.drafts.get(this.#id);
    if (!draft) return;
    if (text.value.trim() !== draft.text.trim() || quoted?.id !== draft.quoted?.id) this.#put(draft);
    else this.#tried = draft.tried;
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
    if (!open) return [say("composer.closed"), this.actions.mayReopen(conversation) ? actionButton(say("action.reopen"), this.actions.reopen) : ""];
    if (agents.length && !assigned) return [say("composer.with", { agents: listed(agents) }), this.actions.mayTake(conversation) ? actionButton(say("action.take"), this.actions.take) : ""];
    return [say("composer.take"), actionButton(say("action.take"), this.actions.take)];
  }

  // The draft is kept until the server has the text, also if the page is closed before.
  async #send() {
    const id = this.#id;
    if (id === null || !text.value.trim()) return;
    const tried = this.#attempt(text.value);
    const sent = { text: tried.text, quoted, tried };
    const place = sendingId(id);
    this.#inFlight.add(place);
    this.drafts.set(place, sent);
    this.drafts.delete(id);
    this.#put({ text: "", quoted: null, tried: null });
    this.#typingReporter.reset();
    reportTyping(false);
    this.showError(null);
    const done = await sendReply(id, { ...tried, reply_to: sent.quoted?.id ?? null }, this.showError);
    // Unless the next one is on its way.
    if (this.drafts.get(place).tried?.key === tried.key) {
      this.#inFlight.delete(place);
      this.drafts.delete(place);
    }
    if (done) return;
    const now = this.#current(id);
    this.drafts.set(now, joined([sent, this.drafts.get(now)]));
    if (this.#id === now) this.#update();
  }

  /**
   * The key makes a retry safe: the text is sent once, even if responses are lost.
   * @param {string} draft
   */
  #attempt(draft) {
    return this.#tried?.text.trim() === draft.trim() ? this.#tried : { text: draft, key: newKey() };
  }
}

/**
 * Send a reply. Returns whether the text is now in the transcript, which shows its status. Other errors are shown.
 * @param {string} id
 * @param {Reply} reply
 * @param {ShowError} showError
 */
async function sendReply(id, reply, showError) {
  try {
    await postJson(`api/conversations/${encodeURIComponent(id)}/messages`, reply);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 502) return true;
    showError(error);
    return false;
  }
}

/** @param {Quote | null} message */
export function quoteInReply(message) {
  setQuote(message);
  // A quote is a part of the draft.
  text.dispatchEvent(new Event("input"));
  text.focus();
}

/**
 * Where a text is kept while it is being sent. Meanwhile the agent may write the next one.
 * @param {string} id
 */
function sendingId(id) {
  return `${id} sending`;
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
function newKey() {
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
