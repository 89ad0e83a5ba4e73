// @ts-check
// The viewer of media and documents fills the page. Esc closes it, arrows change the slide, plus and minus zoom, R turns.

import { announce } from "./announcer.js";
import { ApiError } from "./api-client.js";
import { byId } from "./element.js";
import { icon } from "./icons.js";
import { listenForSwipes } from "./swipe.js";
import { forgetText, offerText } from "./viewer-text.js";
import { rightToLeft, say } from "./words.js";
import { Zoom } from "./zoom.js";

/** @import { Slide, Slides } from "./slides.d.ts" */

const viewer = byId("viewer");
const picture = byId("viewer-photo");
const content = byId("viewer-content");
const zoom = new Zoom(byId("viewer-stage"), picture, byId("viewer-scale"));
/** @type {Slides | null} */
let slides = null;
/** @type {string | null} */
let current = null;

// The server does not let the agent see it: it was deleted, it has expired, or the conversation is somebody else's now.
const GONE = new Set([403, 404, 410]);

/**
 * @param {Slides} opened
 * @param {string} key the slide to begin with
 */
export function openViewer(opened, key) {
  slides = opened;
  viewer.setAttribute("aria-label", opened.label);
  viewer.dataset.shows = opened.text && !opened.all().length ? "text" : "pictures";
  byId("viewer-previous").setAttribute("aria-label", say(`viewer.previous.${opened.noun}`));
  byId("viewer-next").setAttribute("aria-label", say(`viewer.next.${opened.noun}`));
  byId("viewer-note").textContent = opened.note;
  byId("viewer-note").hidden = !opened.note;
  byId("viewer-message").hidden = true;
  byId("viewer-count").textContent = "";
  describe(opened);
  current = key;
  show(key);
  if (!viewer.open) viewer.showModal();
  byId("viewer-close").focus();
  offerText(opened.text, viewer.dataset.shows === "text");
  load(key).catch(() => null);
}

export function closeViewer() {
  if (viewer.open) viewer.close();
}

// What is open may have changed, or may not be shown any longer.
export async function refreshViewer() {
  if (viewer.open && current !== null) await load(current);
}

/** @param {string} key */
async function load(key) {
  const opened = slides;
  if (!opened) return;
  try {
    await opened.load(key);
    if (slides === opened) updateSteps();
  } catch (error) {
    if (slides !== opened || !(error instanceof ApiError && GONE.has(error.status))) return;
    closeViewer();
    announce(say("viewer.gone"));
  }
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
  const found = slides?.all().find((slide) => slide.key === key);
  if (!found) return;
  current = found.key;
  zoom.reset();
  describe(found);
  byId("viewer-message").hidden = true;
  if (found.content) showContent(found.content());
  else showPicture(found);
  updateSteps();
}

/** @param {Slide} slide */
function showPicture({ alt, source }) {
  viewer.dataset.slide = "picture";
  content.replaceChildren();
  picture.hidden = false;
  picture.alt = alt;
  picture.src = source;
}

/** @param {HTMLElement} node */
function showContent(node) {
  viewer.dataset.slide = "content";
  picture.hidden = true;
  picture.removeAttribute("src");
  content.replaceChildren(node);
}

function updateSteps() {
  const place = (slides?.all() ?? []).findIndex((slide) => slide.key === current);
  const extent = slides?.extent();
  byId("viewer-count").textContent = extent && place >= 0 ? say("viewer.count", { place: extent.first + place + 1, total: extent.total }) : "";
  byId("viewer-previous").disabled = !extent || extent.first + place === 0;
  byId("viewer-next").disabled = !extent || extent.first + place === extent.total - 1;
}

/** @param {1 | -1} by */
async function step(by) {
  const opened = slides;
  if (!opened || current === null) return;
  const place = opened.all().findIndex((slide) => slide.key === current);
  if (!opened.all()[place + by]) await load(current);
  if (slides !== opened) return;
  const all = opened.all();
  show(all[all.findIndex((slide) => slide.key === current) + by]?.key);
}

/** @param {"first" | "last"} edge */
async function jump(edge) {
  const opened = slides;
  await load(edge);
  if (opened && slides === opened) show(opened.all().at(edge === "first" ? 0 : -1)?.key);
}

function showFailure() {
  if (!(slides && picture.getAttribute("src"))) return;
  picture.hidden = true;
  byId("viewer-message").textContent = say(`viewer.failed.${slides.noun}`);
  byId("viewer-message").hidden = false;
}

function cleanUp() {
  picture.removeAttribute("src");
  content.replaceChildren();
  forgetText();
  if (current) slides?.focus(current);
  slides = null;
  current = null;
}

const stepBack = () => { step(-1).catch(() => null); };
const stepOn = () => { step(1).catch(() => null); };

/** @type {Partial<Record<string, () => void>>} */
const KEYS = {
  ArrowLeft: rightToLeft ? stepOn : stepBack,
  ArrowRight: rightToLeft ? stepBack : stepOn,
  PageUp: stepBack,
  PageDown: stepOn,
  Home: () => { jump("first").catch(() => null); },
  End: () => { jump("last").catch(() => null); },
  "+": () => zoom.by(1),
  "=": () => zoom.by(1),
  "-": () => zoom.by(-1),
  0: () => zoom.fit(),
  r: () => zoom.turn(),
};

const SCROLL_KEYS = new Set(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]);

/**
 * Whether a key belongs to what has the focus: a zoomed picture, the text, or a player.
 * @param {KeyboardEvent} event
 */
function belongs({ key, target }) {
  if (target === byId("viewer-text")) return SCROLL_KEYS.has(key) && !key.startsWith("Arrow");
  if (target instanceof Element && content.contains(target)) return !key.startsWith("Page");
  return target === byId("viewer-stage") && zoom.zoomed && SCROLL_KEYS.has(key);
}

const BUTTONS = /** @type {const} */ ([
  ["viewer-close", icon("close"), closeViewer],
  ["viewer-previous", icon("back", 26), stepBack],
  ["viewer-next", icon("next", 26), stepOn],
  ["viewer-turn", icon("turn"), () => zoom.turn()],
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
listenForSwipes(byId("viewer-stage"), (by) => { if (!zoom.zoomed) (by > 0 === rightToLeft ? stepBack : stepOn)(); });
viewer.addEventListener("close", cleanUp);
viewer.addEventListener("keydown", (event) => {
  const press = KEYS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || !press || belongs(event) || viewer.dataset.shows === "text") return;
  press();
  event.preventDefault();
});
picture.addEventListener("error", showFailure);
