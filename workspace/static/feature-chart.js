// @ts-check
// The chart of channels and features: what each channel supports, with notes.

import { element } from "./element.js";

/** @import { Channel } from "./types.d.ts" */

/** @type {Partial<Record<string, string>>} */
const WORDS = { yes: "yes", limited: "limited", text: "as text", no: "no" };

/** @param {Channel[]} channels */
export function featureChart(channels) {
  const features = [...new Set(channels.flatMap((channel) => Object.keys(channel.features)))];
  const head = element("tr", {}, element("th", { scope: "col" }, "Feature"),
    ...channels.map((channel) => element("th", { scope: "col" }, channel.connector)));
  const rows = features.map((feature) => element("tr", {},
    element("th", { scope: "row" }, feature.replaceAll("_", " ")), ...channels.map((channel) => cell(channel, feature))));
  return element("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Table of features" },
    element("table", { class: "table table-chart" }, element("thead", {}, head), element("tbody", {}, ...rows)));
}

/**
 * @param {Channel} channel
 * @param {string} feature
 */
function cell(channel, feature) {
  const support = channel.features[feature] ?? "no";
  const note = channel.notes?.[feature];
  return element("td", {},
    element("span", { class: "support", "data-support": support }, WORDS[support] ?? support),
    note ? element("span", { class: "note" }, ` ${note}`) : "");
}
