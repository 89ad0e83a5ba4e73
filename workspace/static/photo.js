// @ts-check
// A photo, shown as a square thumbnail that opens the photo viewer.

import { element } from "./element.js";
import { openPhotoViewer } from "./photo-viewer.js";
import { formatFull } from "./time-format.js";

/** @import { Message, VisibleAttachment } from "./types.d.ts" */

/**
 * @param {VisibleAttachment} attachment
 * @param {Message} line
 */
export function photoNode(attachment, line) {
  const label = attachment.name ? `Photo ${attachment.name}` : `Photo from ${formatFull(line.at)}`;
  const image = element("img", {
    src: `attachments/${attachment.id}/thumbnail`, alt: label, width: 300, height: 300, loading: "lazy", decoding: "async",
  });
  const button = element("button", {
    class: "photo", type: "button", "data-photo": attachment.id, "data-name": attachment.name ?? "Photo",
    "data-caption": line.text ?? "", title: "Open the photo", onclick: () => openPhotoViewer(attachment.id),
  }, image);
  return button;
}
