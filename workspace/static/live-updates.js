// @ts-check
// The stream of changes. The browser reconnects automatically; if it gives up, we connect again.

import { getJson } from "./api-client.js";

/** @import { Changes, Presence } from "./types.d.ts" */

/**
 * @typedef {object} Listener
 * @property {(page: Changes) => void} changed
 * @property {(state: "live" | "reconnecting") => void} state
 * @property {(seen: Presence) => void} [present]
 * @property {() => void} ended the session has ended
 */

const RETRY_DELAY = 3000;

/**
 * @param {number} revision
 * @param {Listener} follower
 */
export function followUpdates(revision, { changed, state, present, ended }) {
  let since = revision;
  const connect = () => {
    const stream = new EventSource(`updates?since=${since}`);
    stream.addEventListener("open", () => state("live"));
    stream.addEventListener("conversations", (event) => {
      /** @type {Changes} */
      const content = JSON.parse(event.data);
      since = content.revision;
      changed(content);
    });
    stream.addEventListener("presence", (event) => present?.(JSON.parse(event.data)));
    stream.addEventListener("ended", () => {
      stream.close();
      ended();
    });
    stream.addEventListener("error", () => {
      state("reconnecting");
      if (stream.readyState === EventSource.CLOSED) setTimeout(reconnect, RETRY_DELAY);
    });
  };
  // A stream does not report why it was refused. If the session has ended, this call leads to the sign-in page.
  const reconnect = () => getJson("api/me").then(connect, () => setTimeout(reconnect, RETRY_DELAY));
  connect();
}
