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

/**
 * @param {Identity} identity
 * @returns {Promise<{ session: SessionView, history: HistoryView }>}
 */
export async function begin(identity) {
  let session = await ask(identity, carried);
  if (session.token) carry(session.token);
  try {
    return { session, history: await firstPage() };
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
    // The cookie did not stay: this browser keeps none for a frame on another site.
    carried = "header";
    carry(null);
    session = await ask(identity, carried);
    carry(session.token ?? null);
    return { session, history: await firstPage() };
  }
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
    };
    return await (await call("POST", "sessions", { json })).json();
  } catch (error) {
    if (!(error instanceof Refused && error.code === "work_wanted") || work) throw error;
    const { challenge, bits } = error.problem.puzzle;
    const { solve } = await import("./puzzle.js");
    return ask({ token, join }, how, { challenge, nonce: await solve(challenge, bits) });
  }
}
