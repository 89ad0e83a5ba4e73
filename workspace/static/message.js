// @ts-check
// One line of the transcript. An update replaces only the parts that changed, so that a playing video goes on.

import { ApiError, errorMessage, isMe, postJson } from "./api-client.js";
import { attachmentNode } from "./attachment.js";
import { quoteInReply } from "./composer.js";
import { element, onPress } from "./element.js";
import { icon } from "./icons.js";
import { formatDateTime, formatFull, formatTime, startOfDay } from "./time-format.js";
import { say } from "./words.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Line, Message, Notice, QuotedLine } from "./types.d.ts"
 */

/** @typedef {{ bubble: HTMLElement, parts: Parts }} Drawn */

/** @type {WeakMap<HTMLElement, Drawn>} */
const drawnMessages = new WeakMap();

/** @type {Partial<Record<string, IconName>>} */
const TICK_ICONS = { sending: "clock", accepted: "tick", sent: "tick", delivered: "ticks", read: "ticks" };

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
    const focused = part?.node.contains(document.activeElement);
    if (part) part.node.replaceWith(node);
    else parent.append(node);
    this.#parts.set(name, { json, node });
    // A button that was pressed is gone: the keyboard goes on from its line.
    if (focused) parent.closest("li")?.focus({ preventScroll: true });
    return node;
  }

  /** @param {string} beginning */
  forget(beginning) {
    for (const name of this.#parts.keys()) if (name.startsWith(beginning)) this.#parts.delete(name);
  }
}

/**
 * `customer` is the name of the person who wrote what is not ours.
 * @param {Line} line
 * @param {string} customer
 */
export function messageNode(line, customer) {
  if (line.direction === "notice") return element("li", { class: "notice", id: `line-${line.position}` }, ...noticeText(line));
  const node = element("li", { class: "message", "data-direction": line.direction, id: `line-${line.position}`, tabindex: "-1" });
  const drawn = { bubble: element("div", { class: "bubble" }), parts: new Parts() };
  drawnMessages.set(node, drawn);
  draw(node, drawn, line, customer);
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Line} line
 * @param {string} customer
 */
export function updateMessage(node, line, customer) {
  const drawn = drawnMessages.get(node);
  if (line.direction === "notice") node.replaceChildren(...noticeText(line));
  else if (drawn) draw(node, drawn, line, customer);
}

/**
 * @param {HTMLElement} node
 * @param {Drawn} drawn
 * @param {Message} line
 * @param {string} customer
 */
function draw(node, { bubble, parts }, line, customer) {
  const writer = line.direction === "in" ? customer : ourWriter(line);
  parts.place(node, "writer", writer, () => hidden(element("bdi", {}, writer), ": "));
  if (!bubble.parentNode) node.append(bubble);
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
  parts.place(node, "meta", [line.at, line.reactions, line.status, line.reason, line.text, line.id, line.failed, line.resent_at], () => meta(line));
}

/**
 * Who wrote a line is shown by its side and colour, and to screen readers in words.
 * @param {(string | Node)[]} words
 */
function hidden(...words) {
  return element("span", { class: "visually-hidden" }, ...words);
}

/** @param {Notice} line */
function noticeText(line) {
  return [hidden(`${say("note")} `), line.text ?? "", line.note ? element("span", { class: "notice-note", dir: "auto" }, line.note) : ""];
}

/** @param {Message} line */
function ourWriter({ author, key }) {
  if (isMe(author)) return say("you");
  return (key ? author : null) ?? say("another_app");
}

/** @param {Message} line */
function originNote(line) {
  const writer = line.direction === "out" && !isMe(line.author) ? ourWriter(line) : null;
  const notes = [line.history && say("line.history"), line.forwarded && say("line.forwarded"), line.edited && say("line.edited")].filter(Boolean).join(" · ");
  if (!(writer || notes)) return null;
  // The line begins with its writer for screen readers already.
  return element("p", { class: "origin-note" },
    writer ? element("span", { "aria-hidden": "true" }, notes ? `${writer} · ` : writer) : null, notes);
}

/** @param {QuotedLine | null} replyTo */
function quote(replyTo) {
  if (!replyTo) return null;
  return element("button", {
    class: "quote", type: "button", "aria-label": say("reply.to_line", { line: replyTo.line }),
    onclick: () => document.getElementById(`line-${replyTo.position}`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
  }, element("bdi", {}, replyTo.line));
}

/** @param {number} count */
function media(count) {
  return count ? element("div", { class: "media", "data-many": String(count > 1), "data-count": count }) : null;
}

/** @param {Message} line */
function textNode(line) {
  if (line.deleted) return element("p", { class: "deleted" }, say("line.deleted"));
  return line.text ? element("p", { class: "message-text" }, line.text) : null;
}

/** @param {Message} line */
function meta(line) {
  const reactions = line.reactions.map((emoji) => element("span", { class: "reaction" }, emoji));
  return element("p", { class: "meta" },
    element("time", { datetime: new Date(line.at).toISOString(), title: formatFull(line.at) }, formatTime(line.at)),
    reactions.length ? element("span", { class: "reactions", "aria-label": say("line.reactions") }, ...reactions) : null,
    line.status ? ticks(line, line.status) : null,
    mayBeQuoted(line) ? element("button", {
      class: "quote-button", type: "button", "aria-label": say("line.quote", { line: excerpt(line) }), title: say("line.quote_in_reply"),
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
  const { failed } = line;
  return element("span", { class: "ticks", "data-status": status, "data-failed": String(failed), title: line.status_words },
    line.resent_at ? resentNote(line.resent_at, line.resent_by, line.author) : null,
    failed ? [line.status_words, line.reason].filter(Boolean).join(": ") : icon(TICK_ICONS[status] ?? "tick", 16),
    failed ? null : element("span", { class: "visually-hidden" }, line.status_words),
    failed ? resendButton(line) : null);
}

/**
 * @param {number} at
 * @param {string | null} by
 * @param {string | null} author
 */
function resentNote(at, by, author) {
  const time = startOfDay(at) === startOfDay(Date.now()) ? formatTime(at) : formatDateTime(at);
  const words = by && by !== author ? say("line.resent_by", { time, agent: by }) : say("line.resent", { time });
  return element("span", { class: "resent" }, words);
}

/**
 * The server knows which attempt this line shows, and sends each failed one again once, however often it is asked.
 * @param {Message} line
 */
function resendButton({ id, conversation, text, key }) {
  // Messages from other apps and deleted messages cannot be sent again.
  if (key === null || text === null) return null;
  const button = element("button", { class: "retry", type: "button" }, say("line.send_again"));
  onPress(button, () => postJson(`api/conversations/${encodeURIComponent(conversation)}/messages/${key}/again`, { id }), (error) => {
    // The line says why the gateway did not take it.
    if (!(error instanceof ApiError && error.status === 502)) button.textContent = say("line.send_again_failed", { error: errorMessage(error) });
  });
  return button;
}
