// @ts-check
// The hint above the reply box: until when the platform accepts replies, and whether the consumer has opted out. It
// blocks nothing, because only the platform decides.

import { byId } from "./element.js";
import { formatRecent, formatTime, startOfDay } from "./time-format.js";
import { say } from "./words.js";

/** @import { Conversation } from "./types.d.ts" */

const HOUR = 60 * 60 * 1000;
const WARN_WITHIN = 4 * HOUR;
const CHECK_INTERVAL = 15_000;

const hint = byId("composer-hint");

/** @type {Conversation | null} */
let shown = null;

setInterval(update, CHECK_INTERVAL);

/**
 * `conversation` is the open one, or null if it has no reply box.
 * @param {Conversation | null} conversation
 */
export function showComposerHint(conversation) {
  shown = conversation;
  update();
}

function update() {
  const text = shown ? hintFor(shown, Date.now()) : "";
  // It is announced when it changes.
  if (hint.textContent !== text) hint.textContent = text;
  hint.hidden = !text;
}

/**
 * @param {Conversation} conversation
 * @param {number} now
 */
function hintFor({ opted_out: optedOut, reply_until: until }, now) {
  if (optedOut) return say("hint.opted_out");
  if (until === null || until - now >= WARN_WITHIN) return "";
  if (until > now) return say("hint.until", { time: formatMoment(until, now) });
  return say("hint.ended", { time: formatMoment(until, now) });
}

/**
 * @param {number} at
 * @param {number} now
 */
function formatMoment(at, now) {
  if (startOfDay(at) === startOfDay(now)) return formatTime(at);
  return at > now ? say("time.tomorrow", { time: formatTime(at) }) : say("time.on", { day: formatRecent(at, now), time: formatTime(at) });
}
