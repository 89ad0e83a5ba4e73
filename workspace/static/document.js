// @ts-check
// A document: its first page, name and number of pages. It opens the viewer with its pages, or with its text alone.

import { getJson } from "./api-client.js";
import { element } from "./element.js";
import { icon } from "./icons.js";
import { openViewer } from "./viewer.js";
import { say, sayCount } from "./words.js";

/**
 * @import { Slides } from "./slides.d.ts"
 * @import { Origin, VisibleAttachment } from "./types.d.ts"
 */

/**
 * @param {VisibleAttachment} attachment
 * @param {Origin} line
 */
export function documentNode(attachment, line) {
  const pages = pageCount(attachment);
  const facts = [pagesText(attachment), attachment.file].filter(Boolean).join(" · ");
  return element("button", {
    class: "document", type: "button", title: say(pages ? "document.open" : "document.read"),
    onclick: () => openViewer(slides(attachment, line), "1"),
  },
  pages ? thumbnail(attachment) : element("span", { class: "document-icon" }, icon("file", 26)),
  element("span", { class: "document-text" },
    element("bdi", { class: "document-name" }, attachment.name ?? say("kind.document")),
    element("span", { class: "document-facts" }, facts)));
}

/**
 * Whether an attachment is shown as a document.
 * @param {VisibleAttachment} attachment
 */
export function isDocument({ kind, renditions }) {
  return renditions.includes("document") || renditions.includes("text") || (kind === "document" && renditions.includes("thumbnail"));
}

/** @param {VisibleAttachment} attachment */
function thumbnail({ id }) {
  return element("img", { class: "document-page", src: `attachments/${id}/thumbnail`, alt: "", width: 88, height: 88, loading: "lazy", decoding: "async" });
}

/** @param {VisibleAttachment} attachment */
function pageCount({ pages, renditions }) {
  return pages ?? (renditions.includes("thumbnail") ? 1 : 0);
}

/** @param {VisibleAttachment} attachment */
function pagesText(attachment) {
  const { complete, pages_total: total } = attachment;
  const count = pageCount(attachment);
  if (!count) return complete ? "" : say("incomplete");
  if (total && total > count) return say("pages.shown", { count, total });
  const pages = sayCount("pages.count", count);
  return complete ? pages : say("pages.incomplete", { pages });
}

/**
 * @param {VisibleAttachment} attachment
 * @param {Origin} line
 * @returns {Slides}
 */
function slides(attachment, line) {
  const base = `attachments/${attachment.id}`;
  const name = attachment.name ?? say("kind.document");
  const missing = pageCount(attachment) > 0 && (!attachment.complete || (attachment.pages_total ?? 0) > pageCount(attachment));
  const shared = {
    name, caption: line.text ?? "", download: `${base}/download`,
    downloads: say(attachment.renditions.includes("document") ? "download.pdf" : "download.text"),
  };
  const all = Array.from({ length: pageCount(attachment) }, (_, place) => ({
    ...shared, key: String(place + 1), source: `${base}/page-${place + 1}`, alt: say("pages.alt", { number: place + 1, name }),
  }));
  return {
    ...shared, label: say("kind.document"), noun: "page", note: missing ? pagesText(attachment) : "",
    text: attachment.renditions.includes("text") ? attachment : null,
    all: () => all,
    extent: () => ({ first: 0, total: all.length }),
    // The pages are the document's own, but the agent may no longer see it.
    load: async () => { await getJson(`attachments/${attachment.id}/shown`); },
    // Closing a dialog gives the focus back to the button that opened it.
    focus: () => undefined,
  };
}
