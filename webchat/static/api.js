// @ts-check
// Calls of the chat's own server. Every write may be repeated.

/** What the server refused. `code` is a word of its interface, for which the page has a sentence. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} problem
   * @param {Headers} headers
   */
  constructor(status, problem, headers) {
    super(`${status} ${problem.code ?? ""}`);
    this.name = "Refused";
    this.status = status;
    this.problem = problem;
    this.headers = headers;
  }

  get code() {
    return String(this.problem.code ?? "other");
  }

  /** Whether the same request may be taken later. */
  get passing() {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }

  /** Milliseconds until the server wants to be asked again. */
  get wait() {
    return Number(this.headers.get("Retry-After") ?? 0) * 1000;
  }
}

/** @type {string | null} The session's token where the browser keeps no cookie. */
let bearer = null;
/** @type {string | null} Whose conversation the page shows: another tab may sign somebody else in. */
let consumer = null;
/** @type {() => void} */
let onSignedOut = () => undefined;

/** @param {string | null} token */
export function carry(token) {
  bearer = token;
}

/** @param {string | null} id */
export function actAs(id) {
  consumer = id;
}

/** Whether requests need the token: those of pictures and players cannot carry it. */
export function isCarried() {
  return bearer !== null;
}

/** @param {() => void} listener called when the server no longer knows the session */
export function whenSignedOut(listener) {
  onSignedOut = listener;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ json?: unknown, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal | undefined, keepalive?: boolean }} options
 */
export async function call(method, path, { json, body, headers = {}, signal, keepalive = false } = {}) {
  const all = new Headers(headers);
  if (json !== undefined) all.set("Content-Type", "application/json");
  if (bearer) all.set("Authorization", `Bearer ${bearer}`);
  if (consumer) all.set("X-Consumer", consumer);
  const response = await fetch(`/v1/${path}`, {
    method, headers: all, body: json === undefined ? body ?? null : JSON.stringify(json),
    signal: signal ?? null, keepalive, cache: "no-store",
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "sessions") onSignedOut();
  throw new Refused(response.status, problem, response.headers);
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, signal) {
  return (await call("GET", path, { signal })).json();
}

/** 32 hexadecimal digits: the id of a message or an upload, the same in every attempt. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A signal that aborts with either. Browsers have had their own for too short a time.
 * @param {AbortSignal} one
 * @param {AbortSignal} other
 */
export function either(one, other) {
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason));
  }
  return both.signal;
}

/** @param {number} milliseconds @param {AbortSignal} [signal] */
export function pause(milliseconds, signal) {
  return /** @type {Promise<void>} */ (new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  }));
}
