// @ts-check
// A photo as a square thumbnail that opens the preview.

import { element } from "./element.js";
import { openViewer } from "./photo-viewer.js";
import { exactly } from "./time-format.js";

/** @import { Message, VisibleAttachment } from "./types.d.ts" */

/**
 * @param {VisibleAttachment} attachment
 * @param {Message} line
 */
export function photoNode(attachment, line) {
  const label = attachment.name ? `Photo ${attachment.name}` : `Photo of ${exactly(line.at)}`;
  const image = element("img", {
    src: `attachments/${attachment.id}/thumbnail`, alt: label, width: 300, height: 300, loading: "lazy", decoding: "async",
  });
  const button = element("button", {
    class: "photo", type: "button", "data-photo": attachment.id, "data-name": attachment.name ?? "Photo",
    "data-caption": line.text ?? "", title: "Open the photo", onclick: () => openViewer(attachment.id),
  }, image);
  return button;
}
