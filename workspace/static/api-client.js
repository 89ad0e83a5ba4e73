// @ts-check
// Client for the workspace's own API. URLs are relative, so the pages work below any path.

import { say } from "./words.js";

/** @import { GetResponses, PostRequests } from "./types.d.ts" */

let csrf = "";
let name = "";
let ended = false;

export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Load the signed-in account. Every request that changes something sends the session's CSRF token.
export async function loadMe() {
  const me = await getJson("api/me");
  ({ csrf, agent: name } = me);
  return me;
}

/** @param {string | null} agent */
export function isMe(agent) {
  return agent === name;
}

/**
 * @template {keyof GetResponses} Path
 * @param {Path} path
 * @returns {Promise<GetResponses[Path]>}
 */
export async function getJson(path) {
  return readResponse(await send(path, { headers: { Accept: "application/json" } }));
}

/** @param {string} path */
export async function getText(path) {
  const response = await send(path, { headers: { Accept: "text/plain" } });
  if (!response.ok) await readResponse(response);
  return response.text();
}

/**
 * @template {keyof PostRequests} Path
 * @param {Path} path
 * @param {PostRequests[Path]["content"]} content
 * @param {RequestInit} options
 * @returns {Promise<PostRequests[Path]["answer"]>}
 */
export async function postJson(path, content, options = {}) {
  return readResponse(await send(path, {
    ...options,
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(content),
  }));
}

// The page shows that the session has ended, and does not go to the form by itself.
export function endSession() {
  ended = true;
}

export function signInAddress() {
  const here = location.pathname.slice(location.pathname.lastIndexOf("/") + 1) + location.search;
  return `sign-in?next=${encodeURIComponent(here)}`;
}

/** @param {unknown} error */
export function errorMessage(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function send(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, say("unreachable"));
  }
}

/** @param {Response} response */
async function readResponse(response) {
  if (response.status === 401 && !ended) location.assign(signInAddress());
  if (response.status === 204) return null;
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, content.error ?? say("answered_with_error", { status: String(response.status) }));
  return content;
}
