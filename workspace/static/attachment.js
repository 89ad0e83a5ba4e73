// @ts-check
// One attachment: its transcript line, and below it the media, or a text that says why there are none.

import { announce } from "./announcer.js";
import { errorMessage, postJson } from "./api-client.js";
import { contactCards } from "./contact-card.js";
import { documentNode, isDocument } from "./document.js";
import { element, onPress } from "./element.js";
import { icon } from "./icons.js";
import { photoNode } from "./photo.js";
import { followProgress } from "./progress.js";
import { soundNode } from "./sound.js";
import { videoNode } from "./video.js";
import { listed, say } from "./words.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Attachment, Message, MapLocation, Rendition, VisibleAttachment } from "./types.d.ts"
 */

/** @type {Record<Attachment["state"], IconName>} */
const SLOT_ICONS = { pending: "wait", rejected: "refused", failed: "broken", ready: "file" };

/**
 * @param {Attachment} attachment
 * @param {Message} line
 */
export function attachmentNode(attachment, line) {
  const shown = content(attachment, line);
  const kind = shown.matches(".photo, .player") ? "shows-media" : "shows-text";
  return element("figure", { class: `attachment ${kind}`, "data-attachment": attachment.id },
    element("figcaption", { class: "caption-line" },
      element("span", { class: "transcript-line" }, attachment.line),
      ...(attachment.visible ? [download(attachment), original(attachment)] : [])),
    shown, attachment.visible ? firstPageNote(attachment) : null);
}

// What a download contains, by the first of these renditions. Photos are downloaded from their viewer.
/** @type {[Rendition, string][]} */
const DOWNLOADS = [["video", "download.video"], ["audio", "download.audio"], ["document", "download.pdf"], ["text", "download.text"]];

/** @param {VisibleAttachment} attachment */
function download({ id, renditions, size }) {
  const found = DOWNLOADS.find(([rendition]) => renditions.includes(rendition));
  if (!found) return null;
  const text = listed([say(found[1]), size ?? ""]);
  return element("a", { class: "download", href: `attachments/${id}/download`, download: true, title: text, "aria-label": text },
    icon("download", 16), size);
}

/**
 * A fax or scan is a photo of its first page.
 * @param {VisibleAttachment} attachment
 */
function firstPageNote({ kind, pages_total: total }) {
  if (kind !== "photo" || !total || total < 2) return null;
  return element("p", { class: "first-page" }, say("pages.shown", { count: 1, total }));
}

/** @param {VisibleAttachment} attachment */
function original({ id, renditions }) {
  if (!renditions.includes("original")) return null;
  return element("a", { class: "download", href: `attachments/${id}/original`, download: true, title: say("media.original.download") },
    icon("download", 16), say("media.original"));
}

/**
 * @param {Attachment} attachment
 * @param {Message} line
 */
function content(attachment, line) {
  if (attachment.state !== "ready") return slot(attachment, SLOT_ICONS[attachment.state], attachment.words);
  if (!attachment.visible) return slot(attachment, "hidden", say("media.hidden"));
  if (attachment.renditions.includes("video")) return videoNode(attachment, line);
  if (attachment.renditions.includes("audio")) return soundNode(attachment, line);
  if (isDocument(attachment)) return documentNode(attachment, line);
  if (attachment.renditions.includes("thumbnail")) return photoNode(attachment, line);
  if (attachment.location) return locationCard(attachment.location);
  if (attachment.contacts.length) return contactCards(attachment);
  return slot(attachment, "file", say("media.unshowable"));
}

/**
 * @param {Attachment} attachment
 * @param {IconName} shape
 * @param {string} sentence
 */
function slot(attachment, shape, sentence) {
  const text = element("span", {}, sentence);
  if (attachment.state === "pending" && attachment.visible) followProgress(attachment.id, text);
  return element("div", { class: "slot", "data-state": attachment.state },
    icon(shape),
    element("p", { class: "slot-text" }, text,
      attachment.visible && attachment.name ? element("bdi", { class: "slot-name" }, attachment.name) : null,
      attachment.visible && attachment.file ? element("span", { class: "slot-file" }, attachment.file) : null,
      attachment.retry ? retryButton(attachment) : null));
}

/** @param {Attachment} attachment */
function retryButton({ id }) {
  const button = element("button", { class: "retry", type: "button" }, say("again"));
  onPress(button, async () => {
    await postJson(`attachments/${id}/retry`, {});
    announce(say("again.started"));
  }, (error) => { button.textContent = say("again.failed", { error: errorMessage(error) }); });
  return button;
}

/** @param {MapLocation} location */
function locationCard({ name, address, latitude, longitude }) {
  const written = [address, latitude && longitude ? `${latitude}, ${longitude}` : null].filter(Boolean);
  return element("div", { class: "slot" }, icon("place"),
    element("p", { class: "slot-text" },
      name ? element("bdi", { class: "card-name" }, name) : null,
      element("bdi", {}, written.join(" · "))));
}
