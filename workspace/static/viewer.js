// The photo preview: fills the page, Esc closes, arrows move from photo to photo, plus and minus zoom.

import { byId } from "./element.js";
import { icon } from "./icons.js";
import { Zoom } from "./zoom.js";

const viewer = byId("viewer");
const photo = byId("viewer-photo");
const zoom = new Zoom(byId("viewer-stage"), photo, byId("viewer-scale"));
let current = null;

export function openViewer(id) {
  show(id);
  viewer.showModal();
  byId("viewer-close").focus();
}

export function closeViewer() {
  if (viewer.open) viewer.close();
}

function photos() {
  return [...document.querySelectorAll("[data-photo]")];
}

function show(id) {
  const all = photos();
  const place = all.findIndex((one) => one.dataset.photo === id);
  if (place < 0) return;
  current = id;
  zoom.fit();
  const { name, caption } = all[place].dataset;
  byId("viewer-name").textContent = name;
  byId("viewer-count").textContent = `${place + 1} of ${all.length}`;
  byId("viewer-caption").textContent = caption;
  byId("viewer-words").hidden = true;
  byId("viewer-download").href = `attachments/${id}/download`;
  photo.hidden = false;
  photo.alt = name;
  photo.src = `attachments/${id}/preview`;
  byId("viewer-previous").disabled = place === 0;
  byId("viewer-next").disabled = place === all.length - 1;
}

function step(by) {
  const all = photos();
  const place = all.findIndex((one) => one.dataset.photo === current);
  const next = all[place + by];
  if (next) show(next.dataset.photo);
}

function failed() {
  if (!photo.getAttribute("src")) return;
  photo.hidden = true;
  byId("viewer-words").textContent = "The photo cannot be loaded right now.";
  byId("viewer-words").hidden = false;
}

function closed() {
  photo.removeAttribute("src");
  document.querySelector(`[data-photo="${CSS.escape(current ?? "")}"]`)?.focus();
}

const KEYS = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  "+": () => zoom.by(1),
  "=": () => zoom.by(1),
  "-": () => zoom.by(-1),
  0: () => zoom.fit(),
};

const BUTTONS = {
  close: [icon("close"), closeViewer],
  previous: [icon("back", 26), () => step(-1)],
  next: [icon("next", 26), () => step(1)],
  larger: [icon("larger"), () => zoom.by(1)],
  smaller: [icon("smaller"), () => zoom.by(-1)],
};

for (const [name, [shape, press]] of Object.entries(BUTTONS)) {
  byId(`viewer-${name}`).append(shape);
  byId(`viewer-${name}`).addEventListener("click", press);
}
byId("viewer-download").append(icon("download"));
byId("viewer-stage").addEventListener("click", (event) => {
  if (event.target === event.currentTarget && !zoom.zoomed) closeViewer();
});
viewer.addEventListener("close", closed);
viewer.addEventListener("keydown", (event) => {
  const zoomedPan = zoom.zoomed && event.key.startsWith("Arrow") && event.target.id === "viewer-stage";
  if (event.ctrlKey || event.metaKey || event.altKey || zoomedPan || !KEYS[event.key]) return;
  KEYS[event.key]();
  event.preventDefault();
});
photo.addEventListener("error", failed);
