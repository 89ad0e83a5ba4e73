// @ts-check
// One line of the transcript. An update replaces only the parts that differ, so that a video goes on playing.

import { inWords, isMe } from "./api-client.js";
import { attachmentNode } from "./attachment.js";
import { newKey, quoteInAnswer, sendReply } from "./composer.js";
import { element } from "./element.js";
import { icon } from "./icons.js";
import { exactly, hour } from "./time-format.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Line, Message, Notice, QuotedLine } from "./types.d.ts"
 */

/** @typedef {{ bubble: HTMLElement, parts: Parts }} Drawn */

/** @type {WeakMap<HTMLElement, Drawn>} */
const known = new WeakMap();

/** @type {Partial<Record<string, IconName>>} */
const TICKS = { sending: "clock", accepted: "tick", sent: "tick", delivered: "ticks", read: "ticks" };
const TROUBLES = new Set(["failed", "refused", "unknown"]);

// What a line is made of. A part is built anew when what it shows has changed.
class Parts {
  /** @type {Map<string, { json: string, node: ChildNode }>} */
  #parts = new Map();

  /**
   * Parts stand in the order in which they are first placed.
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
  known.set(node, drawn);
  draw(node, drawn, line);
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Line} line
 */
export function updateMessage(node, line) {
  const drawn = known.get(node);
  if (line.direction === "notice") node.textContent = line.text;
  else if (drawn) draw(node, drawn, line);
}

/**
 * @param {HTMLElement} node
 * @param {Drawn} drawn
 * @param {Message} line
 */
function draw(node, { bubble, parts }, line) {
  parts.place(bubble, "aside", [line.edited, line.forwarded, line.author, line.key], () => aside(line));
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
  parts.place(bubble, "words", [line.text, line.deleted], () => words(line));
  parts.place(node, "meta", [line.at, line.reactions, line.status, line.reason, line.text, line.id], () => meta(line));
}

/** @param {Notice} line */
function noticeNode(line) {
  return element("li", { class: "notice", id: `line-${line.position}` }, line.text);
}

/** @param {Message} line */
function aside(line) {
  const writer = line.direction === "out" && !isMe(line.author) && (line.key ? line.author : "Written in another app");
  const told = [writer, line.forwarded && "Forwarded", line.edited && "Edited"].filter(Boolean);
  return told.length ? element("p", { class: "aside" }, told.join(" · ")) : null;
}

/** @param {QuotedLine | null} replyTo */
function quote(replyTo) {
  if (!replyTo) return null;
  return element("button", {
    class: "quote", type: "button", "aria-label": `In answer to: ${replyTo.line}`,
    onclick: () => document.getElementById(`line-${replyTo.position}`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
  }, element("bdi", {}, replyTo.line));
}

/** @param {number} count */
function media(count) {
  return count ? element("div", { class: "media", "data-many": String(count > 1), "data-count": count }) : null;
}

/** @param {Message} line */
function words(line) {
  if (line.deleted) return element("p", { class: "gone" }, "This message was deleted");
  return line.text ? element("p", { class: "words" }, line.text) : null;
}

/** @param {Message} line */
function meta(line) {
  const reactions = line.reactions.map((emoji) => element("span", { class: "reaction" }, emoji));
  return element("p", { class: "meta" },
    element("time", { datetime: new Date(line.at).toISOString(), title: exactly(line.at) }, hour(line.at)),
    reactions.length ? element("span", { class: "reactions", "aria-label": "Reactions" }, ...reactions) : null,
    line.status ? ticks(line, line.status) : null,
    mayBeQuoted(line) ? element("button", {
      class: "quote-this", type: "button", "aria-label": `Quote: ${glimpse(line)}`, title: "Quote in your answer",
      onclick: () => quoteInAnswer({ id: line.id, line: glimpse(line) }),
    }, icon("quote", 15)) : null,
  );
}

/**
 * What was not sent yet, or was written in another app, is nothing the gateway could name to the platform.
 * @param {Message} line
 */
function mayBeQuoted(line) {
  if (line.deleted || line.id.startsWith("reply_")) return false;
  return line.direction === "in" || Boolean(line.key);
}

/** @param {Message} line */
function glimpse(line) {
  return (line.text ?? line.attachments.map((attachment) => attachment.line).join(" ")).replace(/\s+/gu, " ").slice(0, 120);
}

/**
 * @param {Message} line
 * @param {string} status
 */
function ticks(line, status) {
  const trouble = TROUBLES.has(status);
  return element("span", { class: "ticks", "data-status": status, "data-trouble": String(trouble), title: line.status_words },
    trouble ? [line.status_words, line.reason].filter(Boolean).join(": ") : icon(TICKS[status] ?? "tick", 16),
    trouble ? null : element("span", { class: "unseen" }, line.status_words),
    trouble ? sendAgain(line) : null);
}

/** @param {Message} line */
function sendAgain({ id, conversation, text, key: old, reply_to: quoted }) {
  // Not what was written elsewhere, nor what has been deleted.
  if (old === null || text === null) return null;
  // What the gateway has taken and could not deliver needs a key of its own; what it may have taken goes out once
  // under the old one.
  const key = id.startsWith("reply_") ? old : newKey();
  const button = element("button", { class: "again", type: "button" }, "Send again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await sendReply(conversation, { text, key, reply_to: quoted?.id ?? null }, (refused) => { button.textContent = inWords(refused); });
  });
  return button;
}
