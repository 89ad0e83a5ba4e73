// @ts-check
// Calls to the workspace's own server. Addresses are relative, so the page works below any path.

/** @import { Answers, Deeds } from "./types.d.ts" */

let csrf = "";
let name = "";

export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

// Who is looking. Everything that changes something sends the session's own token back.
export async function whoAmI() {
  const me = await ask("api/me");
  ({ csrf, agent: name } = me);
  return me;
}

/** @param {string | null} agent */
export function isMe(agent) {
  return agent === name;
}

/**
 * @template {keyof Answers} Path
 * @param {Path} path
 * @returns {Promise<Answers[Path]>}
 */
export async function ask(path) {
  return answered(await reached(path, { headers: { Accept: "application/json" } }));
}

/**
 * @template {keyof Deeds} Path
 * @param {Path} path
 * @param {Deeds[Path]["content"]} content
 * @returns {Promise<Deeds[Path]["answer"]>}
 */
export async function tell(path, content) {
  return answered(await reached(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(content),
  }));
}

export function signInAgain() {
  const here = location.pathname.slice(location.pathname.lastIndexOf("/") + 1) + location.search;
  location.assign(`sign-in?next=${encodeURIComponent(here)}`);
}

/** @param {unknown} trouble */
export function inWords(trouble) {
  return trouble instanceof Error ? trouble.message : String(trouble);
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function reached(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "same-origin" });
  } catch {
    throw new Refused(0, "The workspace cannot be reached right now.");
  }
}

/** @param {Response} response */
async function answered(response) {
  if (response.status === 401) signInAgain();
  if (response.status === 204) return null;
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, content.error ?? `The workspace answered ${response.status}.`);
  return content;
}
