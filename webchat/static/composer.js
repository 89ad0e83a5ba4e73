// @ts-check
// Where a consumer writes.

import { call } from "./api.js";
import { byId } from "./element.js";
import { say } from "./words.js";

/** @import { Sender } from "./attaching.js" */

const TYPING_EACH = 4000;

export class Composer {
  #text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  #typedAt = 0;
  #typing = false;

  /**
   * @param {Sender} sender
   * @param {(file: File) => void} given called for a file that was pasted or dropped
   */
  constructor(sender, given) {
    this.sender = sender;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("input", () => this.#typed());
    document.addEventListener("dragover", (event) => event.preventDefault());
    for (const type of ["paste", "drop"]) {
      document.addEventListener(type, (event) => {
        const data = event instanceof ClipboardEvent ? event.clipboardData : /** @type {DragEvent} */ (event).dataTransfer;
        const [file] = data?.files ?? [];
        if (type === "drop" || file) event.preventDefault();
        if (file && !byId("attach").hidden && !document.querySelector("dialog")) given(file);
      });
    }
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
    this.#typing = false;
    this.#fit();
  }

  #send() {
    const text = this.#text.value.trim();
    const most = this.sender.limits().text;
    const now = [...text].length;
    if (now > most) this.sender.warn(say("text.long", { most, now }));
    if (!text || now > most) {
      this.focus();
      return;
    }
    this.clear();
    this.#typedAt = 0;
    this.sender.send(text, []);
  }

  #typed() {
    this.#fit();
    const typing = this.#text.value.trim() !== "";
    if (typing === this.#typing && (!typing || Date.now() - this.#typedAt < TYPING_EACH)) return;
    this.#typing = typing;
    this.#typedAt = Date.now();
    // Before the session has begun, nobody could see it.
    if (this.sender.accept().length) call("POST", "typing", { json: { on: typing } }).catch(() => undefined);
  }

  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
