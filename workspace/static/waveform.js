// @ts-check
// The bars of a sound. They are a slider: arrow keys, Home and End or the pointer move the place that plays. The space
// bar plays and pauses.

import { element } from "./element.js";
import { drawShape } from "./icons.js";
import { formatLength } from "./time-format.js";
import { say } from "./words.js";

const HEIGHT = 32;
const PITCH = 3;

// A sound without a waveform is shown as even, low bars.
const FLAT = /** @type {number[]} */ (Array.from({ length: 64 }, () => 40));

// Keys move by a twentieth of the sound, but never by more than this many seconds.
const LARGEST_STEP = 5;

export class Waveform {
  #seconds = 0;
  #at = 0;

  /**
   * @param {number[]} heights from 0 to 255
   * @param {string} label
   * @param {{ seek: (seconds: number) => void, toggle: () => void }} actions
   */
  constructor(heights, label, actions) {
    this.actions = actions;
    const shown = heights.length ? heights : FLAT;
    this.node = element("div", {
      class: "bars", role: "slider", tabindex: 0, "aria-label": label, "aria-orientation": "horizontal", "aria-valuemin": 0,
    }, bars(shown), element("div", { class: "bars-played" }, bars(shown)));
    this.node.addEventListener("keydown", (event) => this.#press(event));
    this.node.addEventListener("pointerdown", (event) => this.#grab(event));
    this.node.addEventListener("pointermove", (event) => this.#drag(event));
  }

  /**
   * @param {number} at
   * @param {number} seconds
   */
  show(at, seconds) {
    this.#at = at;
    this.#seconds = seconds;
    this.node.style.setProperty("--played", String(seconds ? Math.min(1, at / seconds) : 0));
    this.#state("aria-valuemax", String(Math.round(seconds)));
    this.#state("aria-valuenow", String(Math.min(Math.round(at), Math.round(seconds))));
    this.#state("aria-valuetext", say("sound.at", { at: formatLength(at), length: formatLength(seconds) }));
  }

  /**
   * Screen readers speak at each change, so there is none without a difference.
   * @param {string} name
   * @param {string} value
   */
  #state(name, value) {
    if (this.node.getAttribute(name) !== value) this.node.setAttribute(name, value);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = this.#target(event.key);
    if (to !== null) this.#seekTo(to);
    else if (event.key === " ") this.actions.toggle();
    else return;
    event.preventDefault();
  }

  /** @param {string} key */
  #target(key) {
    const step = Math.min(LARGEST_STEP, Math.max(1, this.#seconds / 20));
    switch (key) {
      case "ArrowRight": case "ArrowUp": return this.#at + step;
      case "ArrowLeft": case "ArrowDown": return this.#at - step;
      case "PageUp": return this.#at + this.#seconds / 10;
      case "PageDown": return this.#at - this.#seconds / 10;
      case "Home": return 0;
      case "End": return this.#seconds;
      default: return null;
    }
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (event.button !== 0) return;
    this.node.setPointerCapture(event.pointerId);
    this.#follow(event);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (this.node.hasPointerCapture(event.pointerId)) this.#follow(event);
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const { left, width } = this.node.getBoundingClientRect();
    this.#seekTo((event.clientX - left) / width * this.#seconds);
  }

  /** @param {number} to */
  #seekTo(to) {
    this.actions.seek(Math.min(this.#seconds, Math.max(0, to)));
  }
}

/** @param {number[]} heights */
function bars(heights) {
  const d = heights.map((height, place) => {
    const half = Math.max(1, height / 255 * HEIGHT / 2);
    return `M${place * PITCH + 1} ${HEIGHT / 2 - half}v${2 * half}`;
  }).join("");
  const svg = drawShape("svg", {
    viewBox: `0 0 ${heights.length * PITCH} ${HEIGHT}`, preserveAspectRatio: "none", fill: "none", stroke: "currentColor",
    "stroke-width": 2, "aria-hidden": "true",
  });
  svg.append(drawShape("path", { d }));
  return svg;
}
