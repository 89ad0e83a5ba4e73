// @ts-check
// One line of the transcript. An update replaces only the parts that changed, so that a playing video goes on.

import { errorMessage, isMe } from "./api-client.js";
import { attachmentNode } from "./attachment.js";
import { newKey, quoteInReply, sendReply } from "./composer.js";
import { element } from "./element.js";
import { icon } from "./icons.js";
import { formatFull, formatTime } from "./time-format.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Line, Message, Notice, QuotedLine } from "./types.d.ts"
 */

/** @typedef {{ bubble: HTMLElement, parts: Parts }} Drawn */

/** @type {WeakMap<HTMLElement, Drawn>} */
const drawnMessages = new WeakMap();

/** @type {Partial<Record<string, IconName>>} */
const TICK_ICONS = { sending: "clock", accepted: "tick", sent: "tick", delivered: "ticks", read: "ticks" };
const FAILED_STATUSES = new Set(["failed", "refused", "unknown"]);

// The parts of a line. A part is rebuilt only when its content changes.
class Parts {
  /** @type {Map<string, { json: string, node: ChildNode }>} */
  #parts = new Map();

  /**
   * Parts appear in the order in which they are first placed.
   * @param {Element} parent
   * @param {string} name
   * @param {unknown} shown
   * @param {() => ChildNode | null} build
   */
  place(parent, name, shown, build) {
    const json = JSON.stringify(shown);
    const part = this.#parts.get(name);
    if (part?.json === json) return part.node;
    const node = build() ?? document.createComment(name);
    if (part) part.node.replaceWith(node);
    else parent.append(node);
    this.#parts.set(name, { json, node });
    return node;
  }

  /** @param {string} beginning */
  forget(beginning) {
    for (const name of this.#parts.keys()) if (name.startsWith(beginning)) this.#parts.delete(name);
  }
}

/** @param {Line} line */
export function messageNode(line) {
  if (line.direction === "notice") return noticeNode(line);
  const bubble = element("div", { class: "bubble" });
  const node = element("li", { class: "message", "data-direction": line.direction, id: `line-${line.position}` }, bubble);
  const drawn = { bubble, parts: new Parts() };
  drawnMessages.set(node, drawn);
  draw(node, drawn, line);
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Line} line
 */
export function updateMessage(node, line) {
  const drawn = drawnMessages.get(node);
  if (line.direction === "notice") node.textContent = line.text;
  else if (drawn) draw(node, drawn, line);
}

/**
 * @param {HTMLElement} node
 * @param {Drawn} drawn
 * @param {Message} line
 */
function draw(node, { bubble, parts }, line) {
  parts.place(bubble, "aside", [line.edited, line.forwarded, line.history, line.author, line.key], () => originNote(line));
  parts.place(bubble, "quote", line.reply_to, () => quote(line.reply_to));
  const gallery = parts.place(bubble, "media", line.attachments.length, () => {
    parts.forget("attachment ");
    return media(line.attachments.length);
  });
  if (gallery instanceof HTMLElement) {
    for (const attachment of line.attachments) {
      parts.place(gallery, `attachment ${attachment.id}`, attachment, () => attachmentNode(attachment, line));
    }
  }
  parts.place(bubble, "words", [line.text, line.deleted], () => textNode(line));
  parts.place(node, "meta", [line.at, line.reactions, line.status, line.reason, line.text, line.id], () => meta(line));
}

/** @param {Notice} line */
function noticeNode(line) {
  return element("li", { class: "notice", id: `line-${line.position}` }, line.text);
}

/** @param {Message} line */
function originNote(line) {
  const writer = line.direction === "out" && !isMe(line.author) && (line.key ? line.author : "Sent from another app");
  const notes = [line.history && "Older message", writer, line.forwarded && "Forwarded", line.edited && "Edited"].filter(Boolean);
  return notes.length ? element("p", { class: "origin-note" }, notes.join(" · ")) : null;
}

/** @param {QuotedLine | null} replyTo */
function quote(replyTo) {
  if (!replyTo) return null;
  return element("button", {
    class: "quote", type: "button", "aria-label": `In reply to: ${replyTo.line}`,
    onclick: () => document.getElementById(`line-${replyTo.position}`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
  }, element("bdi", {}, replyTo.line));
}

/** @param {number} count */
function media(count) {
  return count ? element("div", { class: "media", "data-many": String(count > 1), "data-count": count }) : null;
}

/** @param {Message} line */
function textNode(line) {
  if (line.deleted) return element("p", { class: "deleted" }, "This message was deleted");
  return line.text ? element("p", { class: "message-text" }, line.text) : null;
}

/** @param {Message} line */
function meta(line) {
  const reactions = line.reactions.map((emoji) => element("span", { class: "reaction" }, emoji));
  return element("p", { class: "meta" },
    element("time", { datetime: new Date(line.at).toISOString(), title: formatFull(line.at) }, formatTime(line.at)),
    reactions.length ? element("span", { class: "reactions", "aria-label": "Reactions" }, ...reactions) : null,
    line.status ? ticks(line, line.status) : null,
    mayBeQuoted(line) ? element("button", {
      class: "quote-button", type: "button", "aria-label": `Quote: ${excerpt(line)}`, title: "Quote in your reply",
      onclick: () => quoteInReply({ id: line.id, line: excerpt(line) }),
    }, icon("quote", 15)) : null,
  );
}

/**
 * A message that is not sent yet, or was sent from another app, has no id that the gateway could quote.
 * @param {Message} line
 */
function mayBeQuoted(line) {
  if (line.deleted || line.id.startsWith("reply_")) return false;
  return line.direction === "in" || Boolean(line.key);
}

/** @param {Message} line */
function excerpt(line) {
  return (line.text ?? line.attachments.map((attachment) => attachment.line).join(" ")).replace(/\s+/gu, " ").slice(0, 120);
}

/**
 * @param {Message} line
 * @param {string} status
 */
function ticks(line, status) {
  const failed = FAILED_STATUSES.has(status);
  return element("span", { class: "ticks", "data-status": status, "data-failed": String(failed), title: line.status_words },
    failed ? [line.status_words, line.reason].filter(Boolean).join(": ") : icon(TICK_ICONS[status] ?? "tick", 16),
    failed ? null : element("span", { class: "visually-hidden" }, line.status_words),
    failed ? resendButton(line) : null);
}

/** @param {Message} line */
function resendButton({ id, conversation, text, key: oldKey, reply_to: quoted }) {
  // Messages from other apps and deleted messages cannot be sent again.
  if (oldKey === null || text === null) return null;
  // If the gateway accepted the text but could not deliver it, the retry needs a new key. If the gateway only may have
  // accepted it, the old key makes sure that it is sent once.
  const key = id.startsWith("reply_") ? oldKey : newKey();
  const button = element("button", { class: "retry", type: "button" }, "Send again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await sendReply(conversation, { text, key, reply_to: quoted?.id ?? null }, (error) => { button.textContent = errorMessage(error); });
  });
  return button;
}
