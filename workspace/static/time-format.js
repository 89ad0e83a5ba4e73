// @ts-check
// Dates and times in the language of the page and the time zone of the browser.

import { locale, say } from "./words.js";

/** @import { Timestamp } from "./types.d.ts" */

const timeOfDay = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long" });
const shortDate = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const longDate = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const fullDate = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const short = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });

const DAY = 24 * 60 * 60 * 1000;

/** @param {Timestamp} at */
export function formatTime(at) {
  return timeOfDay.format(at);
}

/** @param {Timestamp} at */
export function formatDateTime(at) {
  return short.format(at);
}

/** @param {Timestamp} at */
export function formatFull(at) {
  return exact.format(at);
}

/** @param {Timestamp} at */
export function startOfDay(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/**
 * Format for the list: the time today, the weekday within a week, otherwise the date.
 * @param {Timestamp} at
 */
export function formatRecent(at, now = Date.now()) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days <= 0) return formatTime(at);
  if (days === 1) return say("time.yesterday");
  return days < 7 ? weekday.format(at) : shortDate.format(at);
}

/**
 * Format for the line between two days of a transcript.
 * @param {Timestamp} at
 */
export function formatDay(at, now = Date.now()) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return say("time.today");
  if (days === 1) return say("time.yesterday");
  return days < 300 ? longDate.format(at) : fullDate.format(at);
}

/**
 * Format for the length of a sound: m:ss, or h:mm:ss from one hour on.
 * @param {number} seconds
 */
export function formatLength(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * What a file is called where it has no caption: its name, or when it came.
 * @param {string} kind
 * @param {string | null} name
 * @param {Timestamp} at
 */
export function labelOf(kind, name, at) {
  const called = say(`kind.${kind}`);
  return name ? say("kind.named", { kind: called, name }) : say("kind.from", { kind: called, time: formatFull(at) });
}
