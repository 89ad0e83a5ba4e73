// @ts-check
// Taking a photo or recording a video in the page. The camera is off as soon as the dialog is closed.

import { iconButton, openDialog } from "./dialogs.js";
import { element } from "./element.js";
import { KeptRecording } from "./keeping.js";
import { local, recordingName, toJpeg } from "./picking.js";
import { Recording, supportedTypes } from "./recorder.js";
import { length, say } from "./words.js";

/** @import { LocalFile } from "./types.d.ts" */

/**
 * @typedef {object} Wish
 * @property {"photo" | "video"} kind
 * @property {number} limit bytes
 * @property {string} consumer
 * @property {(file: LocalFile, drop?: () => void) => void} taken `drop` deletes what is kept of it until it was sent
 * @property {() => void} instead take it with the device's own camera, or choose a file
 * @property {(() => void) | null} elsewhere open the chat in a window, which the page around this frame cannot forbid the camera
 */

// A press that lasts longer is meant to record for as long as it lasts.
const HOLD = 500;
const ANNOUNCED_EACH = 30;
const LAST_WARNING = 10;

/** Whether this browser offers a camera, and can record it. @param {"photo" | "video"} kind */
export function offersCamera(kind) {
  return Boolean(navigator.mediaDevices?.getUserMedia) && (kind === "photo" || supportedTypes().length > 0);
}

/** @param {Wish} wish */
export async function openCamera(wish) {
  const camera = new Camera(wish);
  await camera.open();
}

class Camera {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {Recording | null} */
  #recording = null;
  #facing = "environment";
  #pressedAt = 0;
  #timer = 0;
  #announced = 0;
  #warned = false;
  #closed = false;

  /** @param {Wish} wish */
  constructor(wish) {
    this.wish = wish;
    const video = wish.kind === "video";
    this.view = element("video", { playsinline: true, muted: true, autoplay: true, "aria-hidden": "true", tabindex: -1 });
    this.view.muted = true;
    this.clock = element("p", { class: "clock", hidden: true });
    this.hint = element("p", { class: "hint", role: "status" }, say("camera.starting"));
    this.shutter = element("button", { type: "button", class: "shutter", "data-kind": wish.kind, "aria-label": say(video ? "record" : "take") }, element("span"));
    this.turn = iconButton("camera", say("camera.turn"), () => this.#turn(), { hidden: true });
    this.dialog = openDialog({ class: "sheet camera", "aria-label": say(video ? "record" : "take") },
      element("div", { class: "sheet-bar" }, iconButton("close", say("cancel"), () => this.dialog.close()), this.clock, this.turn),
      element("div", { class: "stage" }, this.view),
      element("div", { class: "sheet-foot" }, this.hint, this.shutter));
    this.dialog.addEventListener("close", () => this.#close());
    this.shutter.disabled = true;
    if (video) this.#listenToHolding();
    else this.shutter.addEventListener("click", () => this.#take());
  }

  async open() {
    await this.#start();
    if (this.#closed) return;
    this.shutter.disabled = !this.#stream;
    if (this.#stream) this.shutter.focus();
  }

  async #start() {
    const video = this.wish.kind === "video";
    const [width, height] = video ? [1280, 720] : [2560, 1440];
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: this.#facing }, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } },
        audio: video,
      });
      this.#stream = stream;
      // Closed while the browser asked for permission.
      if (this.#closed) {
        stopTracks(stream);
        return;
      }
      // A page that forbids the camera alone leaves a stream of sound.
      if (!stream.getVideoTracks().length) throw new DOMException("The camera is not allowed.", "NotAllowedError");
      this.view.srcObject = stream;
      this.view.dataset.mirrored = String(this.#facing === "user");
      await this.view.play();
      this.hint.textContent = say(video ? "camera.hold" : "camera.take");
      await this.#offerTurning();
    } catch (error) {
      stopTracks(this.#stream);
      this.#stream = null;
      if (!this.#closed) this.#explain(error);
    }
  }

  async #offerTurning() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    this.turn.hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
  }

  async #turn() {
    if (this.#recording) return;
    stopTracks(this.#stream);
    this.#facing = this.#facing === "user" ? "environment" : "user";
    await this.#start();
  }

  /**
   * No permission, a page that forbids cameras, or none there: the device's own camera needs no permission.
   * @param {unknown} error
   */
  #explain(error) {
    const name = error instanceof DOMException ? error.name : "";
    const why = { NotAllowedError: "camera.denied", NotFoundError: "camera.missing" }[name] ?? "camera.failed";
    const instead = element("button", {
      type: "button", class: "main-button", onclick: () => { this.wish.instead(); this.dialog.close(); },
    }, say("camera.instead"));
    const { elsewhere } = this.wish;
    this.shutter.replaceWith(instead, ...(elsewhere && name === "NotAllowedError"
      ? [element("button", { type: "button", class: "text-button", onclick: () => { elsewhere(); this.dialog.close(); } }, say("window"))]
      : []));
    this.hint.textContent = say(why);
    instead.focus();
  }

  async #take() {
    const { videoWidth: width, videoHeight: height } = this.view;
    if (!width) return;
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d")?.drawImage(this.view, 0, 0);
    const blob = await toJpeg(canvas);
    if (!blob || this.#closed) return;
    this.dialog.close();
    this.wish.taken(local(blob, "photo.jpg"));
  }

  // Hold to record, or press once to begin and once more to end. A keyboard presses.
  #listenToHolding() {
    this.shutter.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.shutter.setPointerCapture(event.pointerId);
      if (this.#recording) this.#stop();
      else this.#record();
    });
    for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) {
      this.shutter.addEventListener(type, () => {
        if (this.#recording && performance.now() - this.#pressedAt > HOLD) this.#stop();
      });
    }
    this.shutter.addEventListener("click", ({ detail, pointerType }) => {
      if (detail || pointerType) return;
      if (this.#recording) this.#stop();
      else this.#record();
    });
    this.shutter.addEventListener("contextmenu", (event) => event.preventDefault());
    // Some phones garble a recording while they are turned.
    screen.orientation?.addEventListener("change", () => {
      if (this.#recording && !this.#closed) this.hint.textContent = say("camera.still");
    });
  }

  #record() {
    if (!this.#stream) return;
    try {
      this.#recording = new Recording(this.#stream, this.wish.limit, new KeptRecording(this.wish.consumer));
      this.#recording.start();
    } catch (error) {
      this.#recording = null;
      this.#explain(error);
      return;
    }
    this.#pressedAt = performance.now();
    this.dialog.dataset.recording = "true";
    this.shutter.setAttribute("aria-label", say("stop"));
    this.clock.hidden = false;
    this.hint.textContent = say("camera.recording");
    this.#timer = setInterval(() => this.#tick(), 200);
    this.#tick();
    void this.#deliver(this.#recording);
  }

  #stop() {
    this.#recording?.stop();
  }

  #tick() {
    if (!this.#recording) return;
    const { seconds, left } = this.#recording;
    this.clock.textContent = length(Math.floor(seconds));
    this.shutter.style.setProperty("--share", `${Math.min(100, seconds / (seconds + Math.max(0, left)) * 100)}%`);
    // Read out now and then, never each second.
    if (seconds >= this.#announced + ANNOUNCED_EACH) {
      this.#announced += ANNOUNCED_EACH;
      this.hint.textContent = length(this.#announced);
    }
    if (left < LAST_WARNING && !this.#warned) {
      this.#warned = true;
      this.hint.textContent = say("camera.ending", { seconds: LAST_WARNING });
    }
  }

  /** @param {Recording} recording */
  async #deliver(recording) {
    const blob = await recording.result;
    const { seconds, kept } = recording;
    if (this.#closed || !blob) void kept.drop();
    if (this.#closed) return;
    this.dialog.close();
    if (blob) this.wish.taken(local(blob, recordingName(blob), Math.round(seconds * 10) / 10), () => void kept.drop());
  }

  #close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#recording?.stop();
    stopTracks(this.#stream);
    this.view.srcObject = null;
  }
}

/** @param {MediaStream | null} stream */
function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
