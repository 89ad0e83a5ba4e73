// @ts-check
// Where a consumer writes, and chooses what to attach.

import { call } from "./api.js";
import { byId } from "./element.js";
import { attachMenu } from "./menu.js";
import { check, pick } from "./picking.js";
import { say, size } from "./words.js";

/**
 * @import { Source } from "./picking.js"
 * @import { Entry } from "./menu.js"
 * @import { LocalFile } from "./types.d.ts"
 */

const TYPING_EACH = 4000;
const OWN_CAMERA = matchMedia("(pointer: coarse)");

/**
 * @typedef {object} Writer
 * @property {() => boolean} isReady
 * @property {() => { text: number, file_bytes: number }} limits
 * @property {() => string[]} accept
 * @property {(text: string, files: LocalFile[]) => void} send
 * @property {(words: string) => void} warn
 */

export class Composer {
  #text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  #typedAt = 0;
  #typing = false;

  /** @param {Writer} writer */
  constructor(writer) {
    this.writer = writer;
    const form = byId("composer");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("input", () => this.#typed());
    attachMenu(/** @type {HTMLButtonElement} */ (byId("attach")), form, () => this.#entries());
    document.addEventListener("paste", ({ clipboardData }) => this.#given(clipboardData));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#given(event.dataTransfer);
    });
  }

  focus() {
    this.#text.focus();
  }

  /** @param {string} text */
  write(text) {
    this.#text.value = text;
    this.#fit();
    this.focus();
  }

  clear() {
    this.#text.value = "";
    this.#fit();
  }

  /** @param {boolean} allowed */
  allowFiles(allowed) {
    byId("attach").hidden = !(allowed && this.#entries().length);
  }

  /** @param {Source} source */
  choose(source) {
    pick(source, this.writer.accept(), (file) => this.take(file, source));
  }

  /**
   * Check a file, and show it before it is sent.
   * @param {File} file
   * @param {Source} source
   */
  async take(file, source) {
    const limit = this.writer.limits().file_bytes;
    const checked = await check(file, this.writer.accept(), limit);
    if (checked.refused) this.writer.warn(say(`pick.${checked.refused}`, { size: size(limit) }));
    else await this.#preview(checked.file, say("another"), () => this.choose(source));
  }

  #entries() {
    const accept = this.writer.accept();
    const takes = (/** @type {string} */ kind) => accept.some((type) => type.startsWith(kind));
    /** @type {(Entry | false)[]} */
    const entries = [
      takes("image/") && { word: say("menu.photo"), icon: "camera", press: () => this.#shoot("photo") },
      takes("video/") && { word: say("menu.video"), icon: "video", press: () => this.#shoot("video") },
      accept.length > 0 && { word: say(takes("video/") ? "menu.library" : "menu.image"), icon: "library", press: () => this.choose("library") },
    ];
    return entries.filter((entry) => entry !== false);
  }

  // A phone's own camera takes the better photos, and needs no permission.
  /** @param {"photo" | "video"} kind */
  async #shoot(kind) {
    if ((kind === "photo" && OWN_CAMERA.matches) || !navigator.mediaDevices) {
      this.choose(kind);
      return;
    }
    const { offersCamera, openCamera } = await import("./camera.js");
    if (!offersCamera(kind)) {
      this.choose(kind);
      return;
    }
    await openCamera({
      kind, limit: this.writer.limits().file_bytes,
      taken: (file) => this.#preview(file, say("retake"), () => this.#shoot(kind)),
      instead: () => this.choose(kind),
    });
  }

  /**
   * @param {LocalFile} file
   * @param {string} again
   * @param {() => void} retake
   */
  async #preview(file, again, retake) {
    const { preview } = await import("./preview.js");
    preview(file, {
      again, retake, limit: this.writer.limits().text,
      send: (caption) => this.writer.send(caption, [file]),
    });
  }

  /** @param {DataTransfer | null} data */
  #given(data) {
    const [file] = data?.files ?? [];
    if (!file || byId("attach").hidden || document.querySelector("dialog")) return;
    void this.take(file, "library");
  }

  #send() {
    const text = this.#text.value.trim();
    if (!text) {
      this.focus();
      return;
    }
    const most = this.writer.limits().text;
    if ([...text].length > most) {
      this.writer.warn(say("text.long", { most, now: [...text].length }));
      return;
    }
    this.clear();
    this.#typing = false;
    this.#typedAt = 0;
    this.writer.send(text, []);
  }

  #typed() {
    this.#fit();
    const typing = this.#text.value.trim() !== "";
    if (typing === this.#typing && (!typing || Date.now() - this.#typedAt < TYPING_EACH)) return;
    this.#typing = typing;
    this.#typedAt = Date.now();
    if (this.writer.isReady()) call("POST", "typing", { json: { on: typing } }).catch(() => undefined);
  }

  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}

