// @ts-check
// The session: begun or resumed, carried by a cookie or, where a frame keeps none, by a token in memory.

import { call, carry, get, Refused } from "./api.js";
import { language } from "./words.js";

/** @import { HistoryView, SessionView } from "./types.d.ts" */

/** @typedef {{ token?: string | undefined, join?: boolean | undefined }} Identity */

export const site = new URLSearchParams(location.search).get("site") ?? "";
export const framed = window.parent !== window;

const PAGE = 50;

/** @type {"cookie" | "header"} */
let carried = "cookie";
/** What continues an earlier conversation, once: kept by the page around the frame, or given by the frame. @type {string | undefined} */
let ticket;
/** @type {(ticket: string | null) => void} */
let onTicket = () => undefined;

/**
 * A ticket that a page kept shows that this browser keeps no cookie for the frame. A window can keep one.
 * @param {string | undefined} kept
 */
export function resume(kept) {
  if (!kept) return;
  ticket = kept;
  if (framed) carried = "header";
}

/** @param {(ticket: string | null) => void} listener called with what the page may keep, null to keep nothing */
export function whenResumable(listener) {
  onTicket = listener;
}

/**
 * @param {Identity} identity
 * @returns {Promise<{ session: SessionView, history: HistoryView }>}
 */
export async function begin(identity) {
  let session = await ask(identity, carried);
  keep(session);
  try {
    return { session, history: await firstPage() };
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
    // The cookie did not stay: this browser keeps none for a frame on another site.
    carried = "header";
    carry(null);
    session = await ask(identity, carried);
    keep(session);
    return { session, history: await firstPage() };
  }
}

/** @param {SessionView} session */
function keep({ token, resume: next }) {
  if (token) carry(token);
  // It was used, and the next one is for the next time.
  ticket = undefined;
  if (next) onTicket(next);
}

/** @returns {Promise<HistoryView>} */
export function firstPage() {
  return get(`history?limit=${PAGE}`);
}

export async function end() {
  await call("DELETE", "sessions").catch((error) => {
    if (!(error instanceof Refused && error.status === 401)) throw error;
  });
  carry(null);
}

/** The page around the frame keeps nothing any more. */
export function forgetTicket() {
  ticket = undefined;
  onTicket(null);
}

/**
 * @param {Identity} identity
 * @param {"cookie" | "header"} how
 * @param {object} [work]
 * @returns {Promise<SessionView>}
 */
async function ask({ token, join }, how, work) {
  try {
    const json = {
      site, kind: framed ? "frame" : "page", carry: how, language,
      ...(token ? { identity: token, join: join === true } : {}), ...(work ? { work } : {}),
      ...(ticket ? { resume: ticket } : {}),
    };
    return await (await call("POST", "sessions", { json })).json();
  } catch (error) {
    if (!(error instanceof Refused && error.code === "work_wanted") || work) throw error;
    const { challenge, bits } = error.problem.puzzle;
    const { solve } = await import("./puzzle.js");
    return ask({ token, join }, how, { challenge, nonce: await solve(challenge, bits) });
  }
}
