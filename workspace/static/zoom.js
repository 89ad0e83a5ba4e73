// @ts-check
// Zoom of a photo: in steps, by double click and by the mouse wheel. Dragging and scrolling pan.

const STEPS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8];

export class Zoom {
  /** @type {number | null} */
  #scale = null;

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
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  get zoomed() {
    return this.#scale !== null;
  }

  fit() {
    this.#scale = null;
    this.photo.style.width = "";
    this.photo.style.height = "";
    this.stage.dataset.zoomed = "false";
    this.label.textContent = "Fit";
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
    this.photo.style.width = `${Math.round(this.photo.naturalWidth * scale)}px`;
    this.photo.style.height = `${Math.round(this.photo.naturalHeight * scale)}px`;
    this.label.textContent = `${Math.round(scale * 100)}%`;
    this.stage.scrollTo(
      x * this.photo.offsetWidth - this.stage.clientWidth / 2,
      y * this.photo.offsetHeight - this.stage.clientHeight / 2,
    );
  }

  #fitScale() {
    if (!this.photo.naturalWidth) return 1;
    return Math.min(
      this.stage.clientWidth / this.photo.naturalWidth, this.stage.clientHeight / this.photo.naturalHeight, 1,
    );
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
