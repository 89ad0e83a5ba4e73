// @ts-check
// The stream of changes. The browser reconnects automatically; if it gives up, we connect again.

import { getJson } from "./api-client.js";

/** @import { ConversationPage } from "./types.d.ts" */

/** @typedef {{ changed: (page: ConversationPage) => void, state: (state: "live" | "reconnecting") => void }} Listener */

const RETRY_DELAY = 3000;

/**
 * @param {number} revision
 * @param {Listener} follower
 */
export function followUpdates(revision, { changed, state }) {
  let since = revision;
  const connect = () => {
    const stream = new EventSource(`updates?since=${since}`);
    stream.addEventListener("open", () => state("live"));
    stream.addEventListener("conversations", (event) => {
      /** @type {ConversationPage} */
      const content = JSON.parse(event.data);
      since = content.revision;
      changed(content);
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
