// @ts-check
// The viewer of photos and documents fills the page. Esc closes it, arrows change the picture, plus and minus zoom.

import { byId } from "./element.js";
import { icon } from "./icons.js";
import { forgetText, offerText } from "./viewer-text.js";
import { Zoom } from "./zoom.js";

/** @import { Slides } from "./slides.d.ts" */

const viewer = byId("viewer");
const picture = byId("viewer-photo");
const zoom = new Zoom(byId("viewer-stage"), picture, byId("viewer-scale"));
/** @type {Slides | null} */
let slides = null;
/** @type {string | null} */
let current = null;

/**
 * @param {Slides} opened
 * @param {string} key the slide to begin with
 */
export function openViewer(opened, key) {
  slides = opened;
  viewer.setAttribute("aria-label", opened.label);
  viewer.dataset.shows = opened.text && !opened.all().length ? "text" : "pictures";
  byId("viewer-previous").setAttribute("aria-label", `Previous ${opened.noun}`);
  byId("viewer-next").setAttribute("aria-label", `Next ${opened.noun}`);
  byId("viewer-note").textContent = opened.note;
  byId("viewer-note").hidden = !opened.note;
  byId("viewer-message").hidden = true;
  byId("viewer-count").textContent = "";
  describe(opened);
  show(key);
  viewer.showModal();
  byId("viewer-close").focus();
  offerText(opened.text, viewer.dataset.shows === "text");
}

export function closeViewer() {
  if (viewer.open) viewer.close();
}

/** @param {{ name: string, caption: string, download: string, downloads: string }} shown */
function describe({ name, caption, download, downloads }) {
  byId("viewer-name").textContent = name;
  byId("viewer-caption").textContent = caption;
  byId("viewer-download").href = download;
  byId("viewer-download").setAttribute("aria-label", downloads);
}

/** @param {string | undefined} key */
function show(key) {
  const all = slides?.all() ?? [];
  const place = all.findIndex((slide) => slide.key === key);
  const found = all[place];
  if (!found) return;
  current = found.key;
  zoom.fit();
  describe(found);
  byId("viewer-count").textContent = `${place + 1} of ${all.length}`;
  byId("viewer-message").hidden = true;
  picture.hidden = false;
  picture.alt = found.alt;
  picture.src = found.source;
  byId("viewer-previous").disabled = place === 0;
  byId("viewer-next").disabled = place === all.length - 1;
}

/** @param {1 | -1} by */
function step(by) {
  const all = slides?.all() ?? [];
  show(all[all.findIndex((slide) => slide.key === current) + by]?.key);
}

/** @param {0 | -1} place */
function jump(place) {
  show(slides?.all().at(place)?.key);
}

function showFailure() {
  if (!(slides && picture.getAttribute("src"))) return;
  picture.hidden = true;
  byId("viewer-message").textContent = `The ${slides.noun} could not be loaded. Please try again later.`;
  byId("viewer-message").hidden = false;
}

function cleanUp() {
  picture.removeAttribute("src");
  forgetText();
  if (current) slides?.focus(current);
  slides = null;
  current = null;
}

/** @type {Partial<Record<string, () => void>>} */
const KEYS = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  PageUp: () => step(-1),
  PageDown: () => step(1),
  Home: () => jump(0),
  End: () => jump(-1),
  "+": () => zoom.by(1),
  "=": () => zoom.by(1),
  "-": () => zoom.by(-1),
  0: () => zoom.fit(),
};

const SCROLL_KEYS = new Set(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]);

/**
 * Whether a key scrolls what has the focus: a zoomed picture, or the text.
 * @param {KeyboardEvent} event
 */
function scrolls({ key, target }) {
  if (target === byId("viewer-text")) return SCROLL_KEYS.has(key) && !key.startsWith("Arrow");
  return target === byId("viewer-stage") && zoom.zoomed && SCROLL_KEYS.has(key);
}

const BUTTONS = /** @type {const} */ ([
  ["viewer-close", icon("close"), closeViewer],
  ["viewer-previous", icon("back", 26), () => step(-1)],
  ["viewer-next", icon("next", 26), () => step(1)],
  ["viewer-larger", icon("larger"), () => zoom.by(1)],
  ["viewer-smaller", icon("smaller"), () => zoom.by(-1)],
]);

for (const [id, shape, press] of BUTTONS) {
  byId(id).append(shape);
  byId(id).addEventListener("click", press);
}
byId("viewer-download").append(icon("download"));
byId("viewer-stage").addEventListener("click", (event) => {
  if (event.target === event.currentTarget && !zoom.zoomed) closeViewer();
});
viewer.addEventListener("close", cleanUp);
viewer.addEventListener("keydown", (event) => {
  const press = KEYS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || !press || scrolls(event) || viewer.dataset.shows === "text") return;
  press();
  event.preventDefault();
});
picture.addEventListener("error", showFailure);
