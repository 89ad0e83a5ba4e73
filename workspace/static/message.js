// One line of the transcript. An update replaces only the parts that differ, so that a video goes on playing.

import { attachmentNode } from "./attachment.js";
import { exactly, hour } from "./clock.js";
import { newKey, quoteInAnswer, sendReply } from "./composer.js";
import { element } from "./element.js";
import { icon } from "./icons.js";
import { isMe } from "./server.js";

const known = new WeakMap();

const TICKS = { sending: "clock", accepted: "tick", sent: "tick", delivered: "ticks", read: "ticks" };
const TROUBLES = new Set(["failed", "refused", "unknown"]);

export function messageNode(line) {
  if (line.direction === "notice") return noticeNode(line);
  const bubble = element("div", { class: "bubble" });
  const node = element("li", { class: "message", "data-direction": line.direction, id: `line-${line.position}` }, bubble);
  known.set(node, { bubble, parts: new Map(), media: null });
  updateMessage(node, line);
  return node;
}

export function updateMessage(node, line) {
  if (line.direction === "notice") {
    node.textContent = line.text;
    return;
  }
  const state = known.get(node);
  place(state.bubble, state, "aside", [line.edited, line.forwarded, line.author, line.key], () => aside(line));
  place(state.bubble, state, "quote", line.reply_to, () => quote(line.reply_to));
  place(state.bubble, state, "media", line.attachments.length, () => media(line.attachments.length));
  for (const attachment of line.attachments) {
    place(state.parts.get("media").node, state, `attachment ${attachment.id}`, attachment, () => attachmentNode(attachment, line));
  }
  place(state.bubble, state, "words", [line.text, line.deleted], () => words(line));
  place(node, state, "meta", [line.at, line.reactions, line.status, line.reason, line.text, line.id], () => meta(line));
}

// Builds a part anew when what it shows has changed. Parts are placed in the order they are named here.
function place(parent, state, name, shown, build) {
  const json = JSON.stringify(shown);
  const part = state.parts.get(name);
  if (part?.json === json) return;
  const node = build() ?? document.createComment(name);
  if (part) part.node.replaceWith(node);
  else parent.append(node);
  state.parts.set(name, { json, node });
  if (name === "media") for (const key of [...state.parts.keys()]) if (key.startsWith("attachment ")) state.parts.delete(key);
}

function noticeNode(line) {
  return element("li", { class: "notice", id: `line-${line.position}` }, line.text);
}

function aside(line) {
  const writer = line.direction === "out" && !isMe(line.author) && (line.key ? line.author : "Written in another app");
  const told = [writer, line.forwarded && "Forwarded", line.edited && "Edited"].filter(Boolean);
  return told.length ? element("p", { class: "aside" }, told.join(" · ")) : null;
}

function quote(replyTo) {
  if (!replyTo) return null;
  return element("button", {
    class: "quote", type: "button", "aria-label": `In answer to: ${replyTo.line}`,
    onclick: () => document.getElementById(`line-${replyTo.position}`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
  }, element("bdi", {}, replyTo.line));
}

function media(count) {
  return count ? element("div", { class: "media", "data-many": String(count > 1), "data-count": count }) : null;
}

function words(line) {
  if (line.deleted) return element("p", { class: "gone" }, "This message was deleted");
  return line.text ? element("p", { class: "words" }, line.text) : null;
}

function meta(line) {
  const reactions = line.reactions.map((emoji) => element("span", { class: "reaction" }, emoji));
  return element("p", { class: "meta" },
    element("time", { datetime: new Date(line.at).toISOString(), title: exactly(line.at) }, hour(line.at)),
    reactions.length ? element("span", { class: "reactions", "aria-label": "Reactions" }, ...reactions) : null,
    line.status ? ticks(line) : null,
    mayBeQuoted(line) ? element("button", {
      class: "quote-this", type: "button", "aria-label": `Quote: ${glimpse(line)}`, title: "Quote in your answer",
      onclick: () => quoteInAnswer({ id: line.id, line: glimpse(line) }),
    }, icon("quote", 15)) : null,
  );
}

// What was not sent yet, or was written in another app, is nothing the gateway could name to the platform.
function mayBeQuoted(line) {
  return !line.deleted && !line.id.startsWith("reply_") && (line.direction === "in" || Boolean(line.key));
}

function glimpse(line) {
  return (line.text ?? line.attachments.map((attachment) => attachment.line).join(" ")).replace(/\s+/gu, " ").slice(0, 120);
}

function ticks(line) {
  const trouble = TROUBLES.has(line.status);
  // What the gateway has taken and could not deliver needs a key of its own; what it may have taken goes out once
  // under the old one.
  const key = line.id.startsWith("reply_") ? line.key : newKey();
  return element("span", { class: "ticks", "data-status": line.status, "data-trouble": String(trouble), title: line.status_words },
    trouble ? [line.status_words, line.reason].filter(Boolean).join(": ") : icon(TICKS[line.status] ?? "tick", 16),
    trouble ? null : element("span", { class: "unseen" }, line.status_words),
    trouble && line.key && line.text !== null ? element("button", {
      class: "again", type: "button",
      onclick: (event) => {
        event.target.disabled = true;
        sendReply(line.conversation, line.text, key, line.reply_to?.id, (refused) => { event.target.textContent = refused.message; });
      },
    }, "Send again") : null);
}
