// @ts-check
// Who else reads or writes in the open conversation. This page reports what its own agent does.

import { postJson } from "./api-client.js";
import { byId } from "./element.js";
import { language, sayCount } from "./words.js";

/** @import { Doing, Presence } from "./types.d.ts" */

// The server forgets a page that has not reported for 45 seconds.
const REPEAT_AFTER = 20_000;

// After this long without input, the agent no longer counts as typing.
const IDLE_AFTER = 6000;

/** @type {Presence} */
let others = {};
/** @type {string | null} */
let current = null;
/** @type {Doing} */
let doing = "reading";
/** @type {number | undefined} */
let idleTimer;

/** @param {Presence} seen */
export function showPresence(seen) {
  others = seen;
  update();
}

/**
 * The conversation that is open, or null.
 * @param {string | null} id
 */
export function reportReading(id) {
  if (id === current) return;
  if (current !== null) report(current, "away");
  current = id;
  doing = "reading";
  if (!document.hidden) reportAgain();
  update();
}

/** @param {boolean} hasText */
export function reportTyping(hasText) {
  clearTimeout(idleTimer);
  if (hasText) idleTimer = setTimeout(() => change("reading"), IDLE_AFTER);
  change(hasText ? "typing" : "reading");
}

/** @param {Doing} now */
function change(now) {
  if (now === doing) return;
  doing = now;
  reportAgain();
}

function reportAgain() {
  if (current !== null) report(current, doing);
}

/**
 * Report without waiting. A failure does not concern the agent.
 * @param {string} id
 * @param {Doing | "away"} now
 */
function report(id, now) {
  // A page that is being left still has to report that it is.
  postJson(`api/conversations/${encodeURIComponent(id)}/presence`, { doing: now }, { keepalive: true }).catch(() => null);
}

function update() {
  const seen = (current === null ? null : others[current]) ?? {};
  const texts = [words(seen, "reading"), words(seen, "typing")].filter(Boolean);
  const text = texts.join(" · ");
  if (byId("presence").textContent !== text) byId("presence").textContent = text;
}

/**
 * @param {Record<string, Doing>} seen
 * @param {Doing} what
 */
function words(seen, what) {
  const names = Object.keys(seen).filter((name) => seen[name] === what);
  if (!names.length) return "";
  return sayCount(`presence.${what}`, names.length, { names: new Intl.ListFormat(language).format(names) });
}

setInterval(() => { if (!document.hidden) reportAgain(); }, REPEAT_AFTER);
document.addEventListener("visibilitychange", () => {
  if (current !== null && document.hidden) report(current, "away");
  else reportAgain();
});
window.addEventListener("pagehide", () => { if (current !== null) report(current, "away"); });
