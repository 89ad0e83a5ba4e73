// @ts-check
// The stream of changes. The browser reconnects by itself; when it gives up, we start again.

import { ask } from "./api-client.js";

/** @import { Conversation, ConversationPage } from "./types.d.ts" */

/** @typedef {{ changed: (conversations: Conversation[]) => void, state: (word: "live" | "away") => void }} Follower */

const AGAIN_AFTER = 3000;

/**
 * @param {number} revision
 * @param {Follower} follower
 */
export function follow(revision, { changed, state }) {
  let since = revision;
  const connect = () => {
    const stream = new EventSource(`updates?since=${since}`);
    stream.addEventListener("open", () => state("live"));
    stream.addEventListener("conversations", (event) => {
      /** @type {ConversationPage} */
      const content = JSON.parse(event.data);
      since = content.revision;
      changed(content.conversations);
    });
    stream.addEventListener("error", () => {
      state("away");
      if (stream.readyState === EventSource.CLOSED) setTimeout(again, AGAIN_AFTER);
    });
  };
  // A stream does not say why it was refused; asking who we are leads to the sign-in page if that is why.
  const again = () => ask("api/me").then(connect, () => setTimeout(again, AGAIN_AFTER));
  connect();
}
