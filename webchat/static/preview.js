// @ts-check
// A picked or taken file before it is sent: full size, with a caption. "Send" can always be pressed.

import { openDialog } from "./dialogs.js";
import { element, icon } from "./element.js";
import { length, say, size } from "./words.js";

/** @import { LocalFile } from "./types.d.ts" */

/**
 * @param {LocalFile} file
 * @param {{ again: string, retake: () => void, send: (caption: string) => void, cancelled: () => void, limit: number }} options
 */
export function preview(file, { again, retake, send, cancelled, limit }) {
  let sent = false;
  const address = URL.createObjectURL(file.blob);
  const caption = element("textarea", { rows: 1, dir: "auto", maxlength: limit, placeholder: say("caption"), "aria-label": say("caption"), "data-caption": true });
  const dialog = openDialog({ class: "sheet preview", "aria-label": say("preview") },
    element("div", { class: "sheet-bar" },
      element("button", { type: "button", class: "text-button", onclick: () => dialog.close() }, say("cancel")),
      element("button", { type: "button", class: "text-button", onclick: () => { dialog.close(); retake(); } }, again)),
    element("div", { class: "stage" }, shown(file, address)),
    element("form", { class: "sheet-foot", onsubmit: submit }, caption,
      element("button", { class: "send-button", "aria-label": say("send"), title: say("send") }, icon("send"))));
  dialog.addEventListener("close", () => {
    URL.revokeObjectURL(address);
    if (!sent) cancelled();
  });
  caption.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
  caption.focus();

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    sent = true;
    dialog.close();
    send(caption.value.trim());
  }
}

/**
 * @param {LocalFile} file
 * @param {string} address
 */
function shown(file, address) {
  if (file.type.startsWith("video/")) {
    const video = element("video", { src: address, controls: true, playsinline: true, "aria-label": say("video") });
    video.addEventListener("error", () => video.replaceWith(tile(file)));
    return video;
  }
  const image = element("img", { src: address, alt: say("photo") });
  image.addEventListener("error", () => image.replaceWith(tile(file)));
  return image;
}

/**
 * For a file that this browser cannot show, such as HEIC: what it is.
 * @param {{ name: string | null, bytes: number, seconds: number | null }} file
 */
export function tile({ name, bytes, seconds }) {
  return element("div", { class: "tile" }, icon("file", 30),
    element("bdi", { class: "tile-name" }, name ?? say("file")),
    element("span", {}, [size(bytes), seconds === null ? "" : length(seconds)].filter(Boolean).join(" · ")));
}
