// @ts-check
// Photos and videos in full. Escape closes, arrows change, a double press or plus and minus zoom.

import { iconButton, openDialog } from "./dialogs.js";
import { element } from "./element.js";
import { cleanAddress, isPicture, isVideo, localAddress } from "./files.js";
import { fullTime, say } from "./words.js";

/** @import { Line, ShownFile } from "./types.d.ts" */

/** @typedef {{ file: ShownFile, line: Line }} Slide */

const STEPS = [1, 1.5, 2, 3, 4, 6];
const ARROWS = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1 });
const ZOOMS = /** @type {Record<string, number>} */ ({ "+": 1, "=": 1, "-": -1, 0: 0 });

/**
 * @param {Slide[]} all
 * @param {string} key
 */
export function openViewer(all, key) {
  const slides = all.filter(({ file }) => isPicture(file) && address(file));
  let place = slides.findIndex(({ file }) => file.key === key);
  let zoom = 0;
  const stage = element("div", { class: "stage", tabindex: 0 });
  const caption = element("p", { class: "caption", dir: "auto" });
  const title = element("p", { class: "viewer-title" });
  const previous = iconButton("back", say("previous"), () => step(-1), { class: "icon-button step step-back" });
  const next = iconButton("back", say("next"), () => step(1), { class: "icon-button step step-next" });
  const dialog = openDialog({ class: "sheet viewer", "aria-label": say("viewer") },
    element("div", { class: "sheet-bar" }, iconButton("close", say("close"), () => dialog.close()), title),
    stage, previous, next, element("div", { class: "sheet-foot" }, caption));
  dialog.addEventListener("keydown", press);
  stage.addEventListener("dblclick", () => scale(zoom ? 0 : 2));
  stage.addEventListener("click", ({ target }) => target === stage && dialog.close());
  show();

  /** @param {number} by */
  function step(by) {
    if (!slides[place + by]) return;
    place += by;
    show();
  }

  function show() {
    const slide = slides[place];
    if (!slide) return;
    zoom = 0;
    stage.dataset.zoomed = "false";
    stage.replaceChildren(content(slide.file));
    title.textContent = fullTime(slide.line.at);
    caption.textContent = slide.line.text;
    previous.hidden = place === 0;
    next.hidden = place === slides.length - 1;
  }

  /** @param {number} wanted index into STEPS */
  function scale(wanted) {
    const image = stage.querySelector("img");
    if (!image) return;
    zoom = Math.max(0, Math.min(STEPS.length - 1, wanted));
    stage.dataset.zoomed = String(zoom > 0);
    image.style.width = zoom ? `${(STEPS[zoom] ?? 1) * 100}%` : "";
  }

  /** @param {KeyboardEvent} event */
  function press({ key: pressed, target }) {
    // A player's own keys move within its video.
    if (target instanceof HTMLVideoElement) return;
    if (pressed in ARROWS && !zoom) step((ARROWS[pressed] ?? 0) * (document.documentElement.dir === "rtl" ? -1 : 1));
    else if (pressed in ZOOMS) scale(ZOOMS[pressed] ? zoom + (ZOOMS[pressed] ?? 0) : 0);
  }
}

/** @param {ShownFile} file */
function address(file) {
  return localAddress(file) ?? (isVideo(file) ? cleanAddress(file, "video") : cleanAddress(file, "preview", "thumbnail"));
}

/** @param {ShownFile} file */
function content(file) {
  const source = address(file) ?? "";
  const failed = () => node.replaceWith(element("p", { role: "alert" }, say("viewer.failed")));
  const node = isVideo(file)
    ? element("video", { src: source, controls: true, playsinline: true, autoplay: true, "aria-label": say("video"), poster: localAddress(file) ? null : cleanAddress(file, "poster"), onerror: failed })
    : element("img", { src: source, alt: file.name ?? say("photo"), onerror: failed });
  return node;
}
