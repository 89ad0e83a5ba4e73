// The photo preview: fills the page, Esc closes, arrows move from photo to photo.

import { byId } from "./element.js";
import { icon } from "./icons.js";

const viewer = byId("viewer");
const photo = byId("viewer-photo");
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
  const { name, caption } = all[place].dataset;
  byId("viewer-name").textContent = name;
  byId("viewer-count").textContent = `${place + 1} of ${all.length}`;
  byId("viewer-caption").textContent = caption;
  byId("viewer-words").hidden = true;
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

byId("viewer-close").append(icon("close"));
byId("viewer-previous").append(icon("back", 26));
byId("viewer-next").append(icon("next", 26));
byId("viewer-close").addEventListener("click", closeViewer);
byId("viewer-previous").addEventListener("click", () => step(-1));
byId("viewer-next").addEventListener("click", () => step(1));
byId("viewer-stage").addEventListener("click", (event) => event.target === event.currentTarget && closeViewer());
viewer.addEventListener("close", closed);
viewer.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else return;
  event.preventDefault();
});
photo.addEventListener("error", failed);
