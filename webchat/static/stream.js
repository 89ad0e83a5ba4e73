// @ts-check
// What happens in the conversation, as it happens. One tab of a browser keeps the stream and passes it on to the others.
// After any break the server is asked for everything since the last revision, whatever time has passed.

import { call, either, get, pause, Refused } from "./api.js";

/** @import { ChangesView, Follower } from "./types.d.ts" */

// The server writes a comment every 20 seconds. Phones keep dead connections after a pause in the background.
const SILENCE = 45_000;
const LONGEST_PAUSE = 30_000;
const HIDDEN_FOR = 300_000;
const POLL_SECONDS = 25;
const SHORT_STREAM = 1000;
const EVENT_END = /\r?\n\r?\n/u;
const LINE_END = /\r?\n/u;
// A proxy that holds the stream back: so many streams without a byte, and the page asks again and again instead.
const MUTE_STREAMS = 2;

export class Stream {
  #ended = new AbortController();
  #attempt = new AbortController();
  #pause = new AbortController();
  #mute = 0;
  #hidden = 0;
  #following = false;
  /** @type {BroadcastChannel | null} */
  #tabs = null;

  /** @param {Follower} follower */
  constructor(follower) {
    this.follower = follower;
    this.since = follower.since;
  }

  start() {
    const { signal } = this.#ended;
    try {
      this.#tabs = new BroadcastChannel(this.follower.name);
      // Passed-on changes do not move `since`: a tab that slept may have missed some, and asks for all.
      this.#tabs.addEventListener("message", ({ data }) => this.follower.changed(data), { signal });
    } catch {
      // Then this tab keeps a stream of its own.
    }
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#seen(), { signal });
    addEventListener("online", () => this.#seen(), { signal });
    addEventListener("offline", () => this.follower.state("away"), { signal });
    void this.#lead(document.visibilityState === "visible");
  }

  end() {
    this.#ended.abort();
    this.#stop();
    this.#tabs?.close();
  }

  #stop() {
    this.#attempt.abort(new Error("closed"));
    this.#pause.abort();
  }

  #seen() {
    clearTimeout(this.#hidden);
    if (document.visibilityState === "hidden") this.#hidden = setTimeout(() => this.#rest(), HIDDEN_FOR);
    else if (this.#following) this.#stop();
    else void this.#lead(true);
  }

  #rest() {
    this.#following = false;
    this.#stop();
  }

  /**
   * The tab that was looked at last keeps the stream.
   * @param {boolean} steal
   * @returns {Promise<void>}
   */
  async #lead(steal) {
    if (!(this.#tabs && navigator.locks)) {
      await this.#follow();
      return;
    }
    try {
      await navigator.locks.request(this.follower.name, steal ? { steal } : {}, () => this.#follow());
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      const taken = error instanceof DOMException && error.name === "AbortError";
      if (taken) this.#rest();
      // Another tab took the lock, and may give it back; without locks in this frame, this tab follows by itself.
      await (taken ? this.#lead(false) : this.#follow());
    }
  }

  async #follow() {
    if (this.#following || this.#ended.signal.aborted) return;
    this.#following = true;
    let failures = 0;
    while (this.#following && !this.#ended.signal.aborted) {
      const begun = Date.now();
      const ended = await this.#connect();
      // A server that ends each stream at once is not asked in a circle.
      const short = ended === "over" && Date.now() - begun < SHORT_STREAM && this.#mute < MUTE_STREAMS;
      failures = ended === "failed" || short ? failures + 1 : 0;
      if (failures) await this.#wait(failures);
      if (ended === "signed out") return;
    }
  }

  /** @returns {Promise<"over" | "closed" | "failed" | "signed out">} */
  async #connect() {
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    try {
      await (this.#mute < MUTE_STREAMS ? this.#read(this.#attempt) : this.#poll(signal));
      return "over";
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return "signed out";
      if (isClosed(signal)) return "closed";
      this.follower.state("away");
      return "failed";
    }
  }

  /** @param {number} failures */
  async #wait(failures) {
    this.#pause = new AbortController();
    await pause(Math.min(LONGEST_PAUSE, 500 * 2 ** failures), this.#pause.signal);
  }

  /** @param {AbortController} attempt */
  async #read(attempt) {
    let timer = setTimeout(() => attempt.abort(), SILENCE);
    let opened = false;
    let bytes = 0;
    try {
      const response = await call("GET", `changes?since=${this.since}`, { headers: { Accept: "text/event-stream" }, signal: attempt.signal });
      if (!response.body) throw new Error("The stream has no body.");
      opened = true;
      this.follower.state("live");
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => attempt.abort(), SILENCE);
        bytes += part.value.length;
        const events = (text + part.value).split(EVENT_END);
        text = events.pop() ?? "";
        for (const event of events) this.#take(event);
      }
    } finally {
      clearTimeout(timer);
      if (bytes) this.#mute = 0;
      else if (opened && !isClosed(attempt.signal)) this.#mute += 1;
    }
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    const changes = await get(`changes?since=${this.since}&wait=${POLL_SECONDS}`, either(signal, AbortSignal.timeout(SILENCE)));
    this.follower.state("live");
    this.#note(changes);
  }

  /** @param {string} event */
  #take(event) {
    const data = event.split(LINE_END).filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
    if (data) this.#note(JSON.parse(data));
  }

  /** @param {ChangesView} changes */
  #note(changes) {
    this.since = changes.reset ? changes.revision : Math.max(this.since, changes.revision);
    this.follower.changed(changes);
    this.#tabs?.postMessage(changes);
  }
}

/** Whether this page itself ended the request. @param {AbortSignal} signal */
function isClosed({ reason }) {
  return reason instanceof Error && reason.message === "closed";
}
