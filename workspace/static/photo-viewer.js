// @ts-check
// The photo viewer fills the page. Esc closes it, arrows change the photo, plus and minus zoom.

import { byId } from "./element.js";
import { icon } from "./icons.js";
import { Zoom } from "./zoom.js";

const viewer = byId("viewer");
const photo = byId("viewer-photo");
const zoom = new Zoom(byId("viewer-stage"), photo, byId("viewer-scale"));
/** @type {string | null} */
let current = null;

/** @param {string} id */
export function openPhotoViewer(id) {
  show(id);
  viewer.showModal();
  byId("viewer-close").focus();
}

export function closePhotoViewer() {
  if (viewer.open) viewer.close();
}

/** @returns {NodeListOf<HTMLElement>} */
function photos() {
  return document.querySelectorAll("[data-photo]");
}

/** @param {string | undefined} id */
function show(id) {
  const all = [...photos()];
  const place = all.findIndex((one) => one.dataset.photo === id);
  const found = all[place];
  if (!(found && id)) return;
  current = id;
  zoom.fit();
  const { name = "", caption = "" } = found.dataset;
  byId("viewer-name").textContent = name;
  byId("viewer-count").textContent = `${place + 1} of ${all.length}`;
  byId("viewer-caption").textContent = caption;
  byId("viewer-message").hidden = true;
  byId("viewer-download").href = `attachments/${id}/download`;
  photo.hidden = false;
  photo.alt = name;
  photo.src = `attachments/${id}/preview`;
  byId("viewer-previous").disabled = place === 0;
  byId("viewer-next").disabled = place === all.length - 1;
}

/** @param {1 | -1} by */
function step(by) {
  const all = [...photos()];
  const place = all.findIndex((one) => one.dataset.photo === current);
  const next = all[place + by];
  if (next) show(next.dataset.photo);
}

function showFailure() {
  if (!photo.getAttribute("src")) return;
  photo.hidden = true;
  byId("viewer-message").textContent = "The photo could not be loaded. Please try again later.";
  byId("viewer-message").hidden = false;
}

function cleanUp() {
  photo.removeAttribute("src");
  for (const one of photos()) if (one.dataset.photo === current) one.focus();
}

/** @type {Partial<Record<string, () => void>>} */
const KEYS = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  "+": () => zoom.by(1),
  "=": () => zoom.by(1),
  "-": () => zoom.by(-1),
  0: () => zoom.fit(),
};

const BUTTONS = /** @type {const} */ ([
  ["viewer-close", icon("close"), closePhotoViewer],
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
  if (event.target === event.currentTarget && !zoom.zoomed) closePhotoViewer();
});
viewer.addEventListener("close", cleanUp);
viewer.addEventListener("keydown", (event) => {
  const zoomedPan = zoom.zoomed && event.key.startsWith("Arrow") && event.target === byId("viewer-stage");
  const press = KEYS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || zoomedPan || !press) return;
  press();
  event.preventDefault();
});
photo.addEventListener("error", showFailure);
