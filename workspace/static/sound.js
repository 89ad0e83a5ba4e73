// @ts-check
// A sound that plays in place. Nothing loads before it is played.

import { element } from "./element.js";
import { pauseIcon, playIcon } from "./icons.js";
import { changeSpeed, currentSpeed, renewLink, setSpeed } from "./playback.js";
import { formatLength, labelOf } from "./time-format.js";
import { Waveform } from "./waveform.js";
import { formatNumber, say } from "./words.js";

/** @import { Origin, VisibleAttachment } from "./types.d.ts" */

/**
 * @param {VisibleAttachment} attachment
 * @param {Origin} line
 */
export function soundNode(attachment, line) {
  return new Sound(attachment, line).node;
}

class Sound {
  /**
   * @param {VisibleAttachment} attachment
   * @param {Origin} line
   */
  constructor({ id, name, voice, complete, seconds, waveform }, line) {
    const kind = voice ? "voice" : "audio";
    this.seconds = seconds;
    this.source = `attachments/${id}/audio`;
    this.label = labelOf(kind, voice ? null : name, line.at);
    this.audio = element("audio", { preload: "none", src: this.source });
    this.play = element("button", { class: "sound-play", type: "button", onclick: () => this.#toggle() });
    const actions = { seek: (/** @type {number} */ to) => this.#seek(to), toggle: () => this.#toggle() };
    this.waveform = new Waveform(waveform, say("sound.position", { label: this.label }), actions);
    this.time = element("span", { class: "sound-time", "aria-hidden": "true" });
    this.message = element("p", { class: "sound-message", role: "status" });
    this.node = element("div", { class: "sound", role: "group", "aria-label": this.label },
      this.audio, this.play, this.waveform.node,
      element("p", { class: "sound-facts" }, this.time, element("span", { class: "sound-kind" }, say(`kind.${kind}`)),
        name && !voice ? element("bdi", { class: "sound-name" }, name) : null),
      speedButton(),
      complete ? null : element("p", { class: "sound-incomplete" }, say("sound.incomplete")),
      this.message);
    this.#listen();
    setSpeed(this.audio);
    this.#show();
  }

  #listen() {
    for (const type of ["play", "pause", "ended", "timeupdate", "seeking", "seeked", "durationchange"]) {
      this.audio.addEventListener(type, () => this.#show());
    }
    this.audio.addEventListener("playing", () => { this.message.textContent = ""; });
    this.audio.addEventListener("error", () => renewLink(this.audio, this.source, () => this.#fail()));
  }

  // Our own length counts the samples. A browser's is longer by the silence with which an encoder begins and ends.
  get #length() {
    return this.seconds ?? (Number.isFinite(this.audio.duration) ? this.audio.duration : 0);
  }

  #show() {
    const { currentTime, paused, ended } = this.audio;
    const stopped = paused || ended;
    const at = ended ? this.#length : Math.min(currentTime, this.#length || currentTime);
    this.waveform.show(at, this.#length);
    this.time.textContent = `${formatLength(at)} / ${formatLength(this.#length)}`;
    this.node.dataset.playing = String(!stopped);
    const text = say(stopped ? "play" : "pause", { label: this.label });
    if (this.play.getAttribute("aria-label") === text) return;
    this.play.setAttribute("aria-label", text);
    this.play.replaceChildren(stopped ? playIcon() : pauseIcon());
  }

  #toggle() {
    if (!(this.audio.paused || this.audio.ended)) {
      this.audio.pause();
      return;
    }
    if (this.audio.error) this.audio.load();
    if (this.#length && this.audio.currentTime > this.#length - 0.1) this.audio.currentTime = 0;
    // A failure to load arrives as the element's error event. Pausing or leaving the page ends playing without one.
    this.audio.play().catch(() => this.#show());
  }

  /** @param {number} to */
  #seek(to) {
    this.audio.currentTime = to;
    this.#show();
  }

  #fail() {
    this.message.textContent = say("sound.failed");
    this.#show();
  }
}

function speedButton() {
  const button = element("button", { class: "sound-speed", type: "button", title: say("speed") });
  showSpeed(button);
  button.addEventListener("click", () => {
    changeSpeed();
    for (const one of document.querySelectorAll(".sound-speed")) showSpeed(one);
  });
  return button;
}

/** @param {Element} button */
function showSpeed(button) {
  const text = `${formatNumber(currentSpeed())}×`;
  button.textContent = text;
  button.setAttribute("aria-label", say("speed.is", { speed: text }));
}
