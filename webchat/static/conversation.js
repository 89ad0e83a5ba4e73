// @ts-check
// One consumer's conversation in this page: it begins with a session, and ends when they sign out.

import { actAs, get, isCarried, newId, pause, Refused } from "./api.js";
import { byId, closeDialogs } from "./element.js";
import { releaseFiles, resolveBy } from "./files.js";
import { begin, firstPage, site } from "./session.js";
import { clear, find, isKept, keptFiles, put } from "./store.js";
import { Stream } from "./stream.js";
import { waitsForNetwork } from "./transcript.js";
import { say, sayCode } from "./words.js";

/**
 * @import { Queue } from "./queue.js"
 * @import { Identity } from "./session.js"
 * @import { ChangesView, ConversationView, HistoryView, LocalFile, Parts, Queued, SessionView } from "./types.d.ts"
 */

const LONGEST_PAUSE = 30_000;
const RETRY = 2000;
const PAGE = 50;
/** Refusals that a new beginning here cannot change. */
const FINAL = new Set(["identity_required", "not_found"]);

export class Conversation {
  /** @type {SessionView | null} */
  session = null;
  /** @type {Queue | null} */
  queue = null;
  /** @type {Stream | null} */
  #stream = null;
  /** @type {number | null} */
  #earlier = null;
  // Only the newest of several beginnings goes on.
  #beginning = 0;
  /** What was written before the session had begun. @type {{ text: string, files: LocalFile[] }[]} */
  #early = [];
  /** @type {Set<string>} */
  #alerted = new Set();

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    byId("earlier").addEventListener("click", () => this.#loadEarlier());
    byId("warning-close").addEventListener("click", () => warn(""));
  }

  /**
   * Begin until it succeeds: the network may be away.
   * @param {Identity} identity
   * @param {ReturnType<typeof begin> | null} [begun] a first try that runs already
   */
  async start(identity, begun = null) {
    // What waits goes along with a conversation that is taken along.
    const former = identity.join ? this.session?.consumer.id : undefined;
    const mine = this.stop();
    byId("gate").hidden = true;
    setStatus(say("connecting"));
    let asked = identity;
    for (let tries = 0; mine === this.#beginning; tries += 1) {
      const error = await this.#begin((tries === 0 && begun) || begin(asked), former, mine);
      if (!error || mine !== this.#beginning) return;
      if (error instanceof Refused && error.code === "identity_invalid" && asked.token) {
        warn(say("identity.invalid"));
        asked = {};
      } else if (await isFinal(error, tries)) return;
    }
  }

  /**
   * @param {ReturnType<typeof begin>} trying
   * @param {string | undefined} former
   * @param {number} mine
   */
  async #begin(trying, former, mine) {
    try {
      const begun = await trying;
      if (mine === this.#beginning) await this.#run(begun, former);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Returns the number of the beginning that may follow. */
  stop() {
    this.queue?.end();
    this.#stream?.end();
    actAs(null);
    [this.session, this.queue, this.#stream, this.#earlier] = [null, null, null, null];
    closeDialogs();
    const { transcript, forget } = this.parts;
    transcript.clear();
    transcript.closed = false;
    forget();
    for (const id of ["attach", "more"]) byId(id).hidden = true;
    releaseFiles();
    this.#alerted.clear();
    for (const id of ["typing", "earlier", "unkept"]) byId(id).hidden = true;
    byId("alarm").textContent = "";
    this.#beginning += 1;
    return this.#beginning;
  }

  /** Also what was not sent yet. */
  forget() {
    this.#early = [];
    this.parts.composer.clear();
    return this.stop();
  }

  /** @param {number} beginning */
  isAt(beginning) {
    return beginning === this.#beginning;
  }

  /**
   * Returns once the message is kept on this device.
   * @param {string} text
   * @param {LocalFile[]} files
   */
  async send(text, files) {
    if (!(this.session && this.queue)) {
      this.#early.push({ text, files });
      return;
    }
    warn("");
    await this.queue.add({
      id: newId(), consumer: this.session.consumer.id, text, files, at: Date.now(), state: "waiting", reason: null, tries: 0, progress: 0,
    });
  }

  /** Only this device forgets: what was sent is sent. */
  async clearHistory() {
    if (!this.session) return;
    const { transcript } = this.parts;
    transcript.cleared = transcript.lastPosition;
    await put("facts", `cleared ${this.session.consumer.id}`, transcript.cleared);
    await clear("files");
    byId("earlier").hidden = true;
    transcript.draw();
  }

  /**
   * @param {{ session: SessionView, history: HistoryView }} begun
   * @param {string} [former]
   */
  async #run({ session, history }, former) {
    const { transcript } = this.parts;
    const mine = this.#beginning;
    const { id } = session.consumer;
    const [cleared, files] = await Promise.all([find("facts", `cleared ${id}`), keptFiles(id)]);
    if (isCarried()) resolveBy((await import("./links.js")).carriedLinks(() => transcript.draw()));
    if (mine !== this.#beginning) return;
    this.session = session;
    actAs(id);
    transcript.cleared = Number(cleared ?? 0);
    transcript.setLocal(files);
    this.#showHistory(history);
    const { Queue } = await import("./queue.js");
    if (mine !== this.#beginning) return;
    this.queue = new Queue({
      site, consumer: id, limits: session.limits, changed: (record) => this.#showQueued(record),
      left: (left, message) => {
        // The stream may have brought a later state already.
        if (message && !transcript.has(left)) transcript.take([message]);
        transcript.unqueue(left);
      },
    });
    this.#stream = new Stream({
      name: `airlock-stream-${site}-${id}`, since: history.revision, changed: (changes) => this.#changed(changes),
      state: (state) => setStatus(say(state === "live" ? "online" : "offline")),
    });
    await this.queue.start(former);
    await this.queue?.settle(history.messages);
    if (mine !== this.#beginning) return;
    this.#stream.start();
    byId("unkept").hidden = isKept();
    byId("more").hidden = false;
    setStatus(say("online"));
    for (const { text, files: waiting } of this.#early.splice(0)) void this.send(text, waiting);
  }

  /** @param {Queued} record */
  #showQueued(record) {
    this.parts.transcript.queue(record);
    const offline = waitsForNetwork(record.state);
    if (!(offline || record.state === "failed" || record.state === "refused")) return;
    const alarm = offline ? "offline" : record.state;
    // Each is read out once.
    if (!this.#alerted.has(`${record.id} ${alarm}`)) byId("alarm").textContent = say(`alarm.${alarm}`);
    this.#alerted.add(`${record.id} ${alarm}`);
  }

  /** @param {HistoryView} history */
  #showHistory(history) {
    const { transcript } = this.parts;
    this.#earlier = history.before;
    byId("earlier").hidden = this.#earlier === null || this.#earlier <= transcript.cleared;
    this.#showConversation(history.conversation);
    transcript.take(history.messages);
  }

  /** @param {ConversationView} conversation */
  #showConversation({ state, uploads }) {
    this.parts.transcript.closed = state === "closed";
    byId("attach").hidden = !(uploads && this.session?.accept.length);
  }

  /** @param {ChangesView} changes */
  async #changed({ messages, conversation, typing, reset, revision }) {
    if (reset && revision === 0) this.parts.ended();
    else if (reset) await this.#reload();
    if (conversation) this.#showConversation(conversation);
    if (typing !== undefined) byId("typing").hidden = !typing;
    else if (messages?.some(({ id, direction }) => direction === "out" && !this.parts.transcript.has(id))) byId("typing").hidden = true;
    if (messages || conversation) this.parts.transcript.take(messages ?? []);
    if (messages) await this.queue?.settle(messages);
  }

  async #reload() {
    const mine = this.#beginning;
    const history = await firstPage().catch(() => null);
    if (mine !== this.#beginning) return;
    if (history) {
      this.parts.transcript.forgetMessages();
      this.parts.forget();
      this.#showHistory(history);
    } else {
      await pause(RETRY, whenOnline());
      await this.#reload();
    }
  }

  async #loadEarlier() {
    const before = this.#earlier;
    if (before === null) return;
    this.#earlier = null;
    try {
      /** @type {HistoryView} */
      const page = await get(`history?limit=${PAGE}&before=${before}`);
      this.#earlier = page.before;
      this.parts.transcript.take(page.messages);
    } catch {
      this.#earlier = before;
    }
    byId("earlier").hidden = this.#earlier === null || this.#earlier <= this.parts.transcript.cleared;
  }
}

/**
 * Says why the chat cannot begin, or waits before the next attempt.
 * @param {unknown} error
 * @param {number} tries
 */
async function isFinal(error, tries) {
  const refused = error instanceof Refused ? error : null;
  if (refused && !refused.passing) {
    gate(sayCode("gate", refused.code), FINAL.has(refused.code));
    return true;
  }
  setStatus(say(refused?.status === 429 ? "busy" : "offline"));
  await pause(Math.max(refused?.wait ?? 0, Math.min(LONGEST_PAUSE, 1000 * 2 ** tries)), whenOnline());
  return false;
}

export function whenOnline() {
  const returned = new AbortController();
  addEventListener("online", () => returned.abort(), { once: true });
  return returned.signal;
}

/** @param {string} words */
export function warn(words) {
  byId("warning").hidden = !words;
  byId("warning-text").textContent = words;
}

/** @param {string} words */
function setStatus(words) {
  const status = byId("status");
  if (status.textContent !== words) status.textContent = words;
}

/**
 * @param {string} words
 * @param {boolean} final whether a new chat cannot begin here
 */
export function gate(words, final) {
  setStatus("");
  byId("gate-text").textContent = words;
  byId("gate-start").hidden = final;
  byId("gate").hidden = false;
}
