// @ts-check
// The conversation of a frame in a window of its own, where the browser keeps more and the brand's page forbids nothing.

import { call } from "./api.js";

/**
 * It must be called while a press is handled. The window asks this frame for a code, because what is in an address could
 * come from anybody, who would then read along.
 */
export function openWindow() {
  const opened = window.open(`${location.pathname}${location.search}#continue`, "_blank");
  if (!opened) return;
  /** @param {MessageEvent} event */
  async function answer({ source, origin, data }) {
    if (source !== opened || origin !== location.origin || data?.airlock !== "continue") return;
    removeEventListener("message", answer);
    const { code } = await (await call("POST", "codes")).json();
    opened?.postMessage({ airlock: "code", code }, location.origin);
  }
  addEventListener("message", answer);
}
