// @ts-check
// A photo, shown as a square thumbnail that opens the viewer with all media of the conversation.

import { element } from "./element.js";
import { openGallery } from "./gallery.js";
import { labelOf } from "./time-format.js";
import { say } from "./words.js";

/** @import { Message, VisibleAttachment } from "./types.d.ts" */

/**
 * @param {VisibleAttachment} attachment
 * @param {Message} line
 */
export function photoNode(attachment, line) {
  const label = labelOf("photo", attachment.name, line.at);
  const image = element("img", {
    src: `attachments/${attachment.id}/thumbnail`, alt: label, width: 300, height: 300, loading: "lazy", decoding: "async",
  });
  return element("button", {
    class: "photo", type: "button", "data-photo": attachment.id, title: say("photo.open"), onclick: () => openGallery(line.conversation, attachment, line),
  }, image);
}
