// @ts-check
// All media of a conversation in the viewer, in the order of the transcript. They are loaded from the server in parts.

import { getJson } from "./api-client.js";
import { documentNode, isDocument } from "./document.js";
import { soundNode } from "./sound.js";
import { formatFull } from "./time-format.js";
import { videoNode } from "./video.js";
import { openViewer } from "./viewer.js";
import { isSaid, say } from "./words.js";

/**
 * @import { Slide, Slides } from "./slides.d.ts"
 * @import { MediaItem, Origin, VisibleAttachment } from "./types.d.ts"
 */

/**
 * Open the viewer at an attachment. Its neighbours follow once they are loaded.
 * @param {string} conversation
 * @param {VisibleAttachment} attachment
 * @param {Origin} origin
 */
export function openGallery(conversation, attachment, origin) {
  openViewer(gallery(conversation, [slide(attachment, origin)]), attachment.id);
}

/**
 * Open the viewer at an attachment that may not be in the transcript.
 * @param {string} conversation
 * @param {string} attachment
 */
export async function openGalleryAt(conversation, attachment) {
  const opened = gallery(conversation, []);
  await opened.load(attachment);
  openViewer(opened, attachment);
}

/**
 * @param {string} conversation
 * @param {Slide[]} known
 * @returns {Slides}
 */
function gallery(conversation, known) {
  let loaded = known;
  /** @type {{ first: number, total: number } | null} */
  let extent = null;
  return {
    label: say("media"), noun: "file", name: "", caption: "", note: "", download: "./", downloads: "", text: null,
    all: () => loaded,
    extent: () => extent,
    load: async (key) => {
      const { items, first, total } = await getJson(`api/conversations/${encodeURIComponent(conversation)}/media?around=${encodeURIComponent(key)}`);
      loaded = items.flatMap(itemSlide);
      extent = { first, total };
    },
    focus: (key) => focusAttachment(key),
  };
}

/**
 * @param {MediaItem} item
 * @returns {Slide[]}
 */
function itemSlide({ attachment, ...origin }) {
  return attachment.visible ? [slide(attachment, origin)] : [];
}

/**
 * @param {VisibleAttachment} attachment
 * @param {Origin} origin
 * @returns {Slide}
 */
function slide(attachment, origin) {
  const { id, kind, renditions } = attachment;
  const known = isSaid(`download.${kind}`) ? kind : "file";
  const named = say(`kind.${known}`);
  const base = `attachments/${id}`;
  const shared = {
    key: id, source: `${base}/preview`, alt: attachment.name ?? say("kind.from", { kind: named, time: formatFull(origin.at) }),
    name: attachment.name ?? named, caption: origin.text ?? "", download: `${base}/download`, downloads: say(`download.${known}`),
  };
  if (renditions.includes("video")) return { ...shared, content: () => videoNode(attachment, origin) };
  if (renditions.includes("audio")) return { ...shared, content: () => soundNode(attachment, origin) };
  if (isDocument(attachment)) return { ...shared, content: () => documentNode(attachment, origin) };
  return shared;
}

/** @param {string} id */
function focusAttachment(id) {
  const figure = document.querySelector(`[data-attachment="${CSS.escape(id)}"]`);
  const target = figure?.querySelector("button, video") ?? figure?.closest("li");
  if (target instanceof HTMLElement) target.focus();
}
