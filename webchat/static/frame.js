// @ts-check
// Messages between the chat and the brand's page that frames it. The server's policy lets only the site's origins do so.

import { framed } from "./session.js";

/** @import { Identity } from "./session.js" */

/** @typedef {{ reset?: boolean, kept?: string }} Hello */

// A page that frames the chat without our loader never greets it.
const PATIENCE = 3000;

/** @type {string | null} */
let page = null;

/** @param {string} type */
export function tellPage(type, content = {}) {
  if (page) window.parent.postMessage({ airlock: type, ...content }, page);
}

/**
 * What the page asks for first: who the consumer is, or that they signed out.
 * @param {{ identify: (identity: Identity) => void, reset: () => void, shown: (shown: boolean) => void }} asked
 * @returns {Promise<Hello>}
 */
export function greet(asked) {
  if (!framed) {
    const token = takeFragment();
    if (token) asked.identify({ token });
    return location.hash === "#continue" && window.opener ? askOpener() : Promise.resolve({});
  }
  return new Promise((resolve) => {
    setTimeout(() => resolve({}), PATIENCE);
    addEventListener("message", (event) => {
      if (!isFromPage(event)) return;
      const { airlock, token, join, shown } = event.data;
      if (airlock === "hello") tellPage("ready");
      if (token) asked.identify({ token: String(token), join: join === true });
      if (airlock === "hello") resolve(event.data);
      if (airlock === "reset") asked.reset();
      asked.shown(shown === true);
    });
  });
}

/**
 * The first message settles which page frames the chat.
 * @param {MessageEvent} event
 */
function isFromPage({ source, origin, data }) {
  if (source !== window.parent || typeof data?.airlock !== "string") return false;
  page ??= origin;
  return origin === page;
}

/**
 * A frame that opened this window gives a code by which the conversation goes on here.
 * @returns {Promise<Hello>}
 */
function askOpener() {
  history.replaceState(null, "", location.pathname + location.search);
  return new Promise((resolve) => {
    setTimeout(() => resolve({}), PATIENCE);
    addEventListener("message", ({ source, origin, data }) => {
      if (source === window.opener && origin === location.origin && data?.airlock === "code") resolve({ kept: String(data.code) });
    });
    window.opener.postMessage({ airlock: "continue" }, location.origin);
  });
}

/**
 * The chat in a window of its own takes the identity from the fragment, which no server and no log sees.
 */
function takeFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("identity");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}
