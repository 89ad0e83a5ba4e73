// @ts-check
// Times as people say them, in the browser's own language and zone.

/** @import { Moment } from "./types.d.ts" */

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const DAY = 24 * 60 * 60 * 1000;

/** @param {Moment} at */
export function hour(at) {
  return timeOfDay.format(at);
}

/** @param {Moment} at */
export function shortly(at) {
  return short.format(at);
}

/** @param {Moment} at */
export function exactly(at) {
  return exact.format(at);
}

/** @param {Moment} at */
export function dayOf(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/**
 * For the list: the hour today, the day this week, else the date.
 * @param {Moment} at
 */
export function lately(at, now = Date.now()) {
  const days = Math.round((dayOf(now) - dayOf(at)) / DAY);
  if (days <= 0) return hour(at);
  if (days === 1) return "Yesterday";
  return days < 7 ? weekday.format(at) : shortDate.format(at);
}

/**
 * For the line between two days of a transcript.
 * @param {Moment} at
 */
export function dayInWords(at, now = Date.now()) {
  const days = Math.round((dayOf(now) - dayOf(at)) / DAY);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 300 ? longDate.format(at) : fullDate.format(at);
}
