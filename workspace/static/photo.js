// @ts-check
// A photo, shown as a square thumbnail that opens the viewer.

import { element } from "./element.js";
import { formatFull } from "./time-format.js";
import { openViewer } from "./viewer.js";

/**
 * @import { Slide, Slides } from "./slides.d.ts"
 * @import { Message, VisibleAttachment } from "./types.d.ts"
 */

/** @type {Slides} */
const PHOTOS = {
  label: "Photo", noun: "photo", name: "", caption: "", note: "", download: "./", downloads: "", text: null,
  all: () => [...buttons()].map(slide),
  focus: (key) => { for (const one of buttons()) if (one.dataset.photo === key) one.focus(); },
};

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
    "data-caption": line.text ?? "", title: "Open the photo", onclick: () => openViewer(PHOTOS, attachment.id),
  }, image);
  return button;
}

/** @returns {NodeListOf<HTMLElement>} */
function buttons() {
  return document.querySelectorAll("[data-photo]");
}

/**
 * @param {HTMLElement} button
 * @returns {Slide}
 */
function slide({ dataset: { photo = "", name = "", caption = "" } }) {
  const base = `attachments/${photo}`;
  return { key: photo, source: `${base}/preview`, alt: name, name, caption, download: `${base}/download`, downloads: "Download the photo" };
}
