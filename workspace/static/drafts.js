// @ts-check
// Drafts of replies, kept in this browser for each account and conversation, until they are sent or emptied.

import { attempt } from "./attempt.js";

/** @import { Draft, StoredDraft } from "./types.d.ts" */

const KIND = "airlock draft";
const KEPT = 40;
const KEPT_FOR = 30 * 24 * 60 * 60 * 1000;

/** @type {Draft} */
const EMPTY = { text: "", quoted: null, tried: null };

export class Drafts {
  /**
   * What this page knows. It is all there is if the browser stores nothing.
   * @type {Map<string, Draft>}
   */
  #known = new Map();

  /** @type {string} */
  #agent;

  /** @param {string} agent */
  constructor(agent) {
    this.#agent = agent;
    tidy(agent);
  }

  /**
   * @param {string} id
   * @returns {Draft}
   */
  get(id) {
    const stored = read(storageKey(this.#agent, id));
    return stored ?? this.#known.get(id) ?? EMPTY;
  }

  /**
   * @param {string} id
   * @param {Draft} draft
   */
  set(id, draft) {
    if (!(draft.text.trim() || draft.quoted)) {
      this.delete(id);
      return;
    }
    this.#known.set(id, draft);
    write(storageKey(this.#agent, id), draft);
  }

  /** @param {string} id */
  delete(id) {
    this.#known.delete(id);
    attempt(() => localStorage.removeItem(storageKey(this.#agent, id)));
  }

  /**
   * Move the drafts of conversations that were merged to the one that stays, below its own.
   * @param {string[]} merged
   * @param {string} stays
   */
  move(merged, stays) {
    const found = merged.map((id) => this.get(id)).filter((one) => one.text.trim() || one.quoted);
    for (const id of merged) this.delete(id);
    if (found.length) this.set(stays, joined([this.get(stays), ...found]));
  }

  /**
   * Call back when another page of this account changes the draft of a conversation.
   * @param {(id: string, before: Draft, now: Draft) => void} changed
   */
  watch(changed) {
    window.addEventListener("storage", ({ key, oldValue, newValue }) => {
      const id = key === null ? null : conversationOf(key, this.#agent);
      if (id === null) return;
      this.#known.delete(id);
      changed(id, parse(oldValue) ?? EMPTY, parse(newValue) ?? EMPTY);
    });
  }
}

/**
 * @param {Draft[]} drafts
 * @returns {Draft}
 */
export function joined(drafts) {
  const written = drafts.filter((one) => one.text.trim());
  return {
    text: written.map((one) => one.text.trim()).join("\n"),
    quoted: drafts.find((one) => one.quoted)?.quoted ?? null,
    tried: written.find((one) => one.tried)?.tried ?? null,
  };
}

/**
 * Several workspaces may be mounted on one origin.
 * @param {string} agent
 * @param {string} id
 */
function storageKey(agent, id) {
  return JSON.stringify([KIND, location.pathname, agent, id]);
}

/**
 * @param {string} key
 * @param {string} agent
 */
function conversationOf(key, agent) {
  if (!key.startsWith(`["${KIND}"`)) return null;
  const [, path, owner, id] = attempt(() => JSON.parse(key)) ?? [];
  return path === location.pathname && owner === agent ? String(id) : null;
}

/** @param {string} key */
function read(key) {
  return attempt(() => parse(localStorage.getItem(key))) ?? null;
}

/**
 * @param {string} key
 * @param {Draft} draft
 */
function write(key, draft) {
  // If there is no room for the new text, the old one must not come back instead.
  attempt(() => localStorage.removeItem(key));
  attempt(() => localStorage.setItem(key, JSON.stringify({ ...draft, at: Date.now() })));
}

/**
 * @param {string | null} value
 * @returns {StoredDraft | null}
 */
function parse(value) {
  const found = value ? attempt(() => JSON.parse(value)) : null;
  return typeof found?.text === "string" ? found : null;
}

/**
 * Forget old drafts, of any account, and the oldest if an account has many.
 * @param {string} agent
 */
function tidy(agent) {
  const stored = attempt(() => Object.keys(localStorage))?.filter((key) => key.startsWith(`["${KIND}"`)) ?? [];
  const dated = stored.map((key) => ({ key, at: read(key)?.at ?? 0 })).sort((a, b) => b.at - a.at);
  const mine = dated.filter(({ key }) => conversationOf(key, agent) !== null);
  const old = dated.filter(({ at }) => at < Date.now() - KEPT_FOR);
  for (const { key } of [...old, ...mine.slice(KEPT)]) attempt(() => localStorage.removeItem(key));
}
