// @ts-check
// Zoom of a photo: in steps, by double click and by the mouse wheel. Dragging and scrolling pan. A photo can be turned.

import { locale, say } from "./words.js";

const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });

const STEPS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8];

export class Zoom {
  /** @type {number | null} */
  #scale = null;

  // Quarters of a circle, clockwise.
  #turns = 0;

  /** @type {{ x: number, y: number } | null} */
  #grabbed = null;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLImageElement} photo
   * @param {HTMLElement} label
   */
  constructor(stage, photo, label) {
    this.stage = stage;
    this.photo = photo;
    this.label = label;
    label.addEventListener("click", () => this.fit());
    photo.addEventListener("dblclick", (event) => (this.zoomed ? this.fit() : this.#set(Math.max(1, this.#fitScale() * 2), event)));
    stage.addEventListener("pointerdown", (event) => this.#grab(event));
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    stage.addEventListener("pointerup", () => { this.#grabbed = null; });
    photo.addEventListener("load", () => this.#layOut());
    new ResizeObserver(() => this.#layOut()).observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  get zoomed() {
    return this.#scale !== null;
  }

  fit() {
    this.#scale = null;
    this.stage.dataset.zoomed = "false";
    this.label.textContent = say("viewer.fit");
    this.#layOut();
  }

  // Show the next photo as it is.
  reset() {
    this.#turns = 0;
    this.fit();
  }

  turn() {
    this.#turns = (this.#turns + 1) % 4;
    this.fit();
  }

  get #sideways() {
    return this.#turns % 2 === 1;
  }

  // A photo that fits has the size that its style sheet gives it, unless it is turned to its side: then its box has the
  // sides of the photo as they are before turning, and its margins make room for the photo as it is afterwards.
  #layOut() {
    const { photo, stage } = this;
    const scale = this.#scale ?? (this.#sideways ? this.#fitScale() : null);
    const [width, height] = scale === null ? [0, 0] : [Math.round(photo.naturalWidth * scale), Math.round(photo.naturalHeight * scale)];
    const margin = this.#sideways ? (height - width) / 2 : 0;
    stage.dataset.turned = String(this.#sideways);
    photo.style.rotate = this.#turns ? `${this.#turns * 90}deg` : "";
    photo.style.width = scale === null ? "" : `${width}px`;
    photo.style.height = scale === null ? "" : `${height}px`;
    photo.style.margin = this.#sideways ? `${-margin}px ${margin}px` : "";
  }

  /**
   * Zoom one step in or out. Below the size that fits the window, the photo is fitted.
   * @param {1 | -1} direction
   */
  by(direction) {
    const now = this.#scale ?? this.#fitScale();
    const next = direction > 0 ? STEPS.find((step) => step > now * 1.01) : STEPS.findLast((step) => step < now * 0.99);
    if (next === undefined) return;
    if (next <= this.#fitScale()) this.fit();
    else this.#set(next);
  }

  /**
   * @param {number} scale
   * @param {MouseEvent} [at]
   */
  #set(scale, at) {
    const box = this.photo.getBoundingClientRect();
    const x = at ? (at.clientX - box.left) / box.width : 0.5;
    const y = at ? (at.clientY - box.top) / box.height : 0.5;
    this.#scale = scale;
    this.stage.dataset.zoomed = "true";
    this.#layOut();
    this.label.textContent = percent.format(scale);
    const shown = this.photo.getBoundingClientRect();
    this.stage.scrollTo(
      x * shown.width - this.stage.clientWidth / 2,
      y * shown.height - this.stage.clientHeight / 2,
    );
  }

  #fitScale() {
    const { naturalWidth, naturalHeight } = this.photo;
    if (!naturalWidth) return 1;
    const [across, down] = this.#sideways ? [naturalHeight, naturalWidth] : [naturalWidth, naturalHeight];
    return Math.min(this.stage.clientWidth / across, this.stage.clientHeight / down, 1);
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (!this.zoomed || event.pointerType === "touch") return;
    this.#grabbed = { x: event.clientX + this.stage.scrollLeft, y: event.clientY + this.stage.scrollTop };
    this.stage.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (this.#grabbed) this.stage.scrollTo(this.#grabbed.x - event.clientX, this.#grabbed.y - event.clientY);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey && this.zoomed) return;
    event.preventDefault();
    this.by(event.deltaY < 0 ? 1 : -1);
  }
}
