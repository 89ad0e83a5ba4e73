// @ts-check
// The chart of channels and features: what each channel supports, with notes.

import { element } from "./element.js";
import { say, sayName } from "./words.js";

/** @import { Channel } from "./types.d.ts" */

/** @param {Channel[]} channels */
export function featureChart(channels) {
  const features = [...new Set(channels.flatMap((channel) => Object.keys(channel.features)))];
  const head = element("tr", {}, element("th", { scope: "col" }, say("chart.feature")),
    ...channels.map((channel) => element("th", { scope: "col" }, element("bdi", {}, channel.connector))));
  const rows = features.map((feature) => element("tr", {},
    element("th", { scope: "row" }, sayName("feature", feature)), ...channels.map((channel) => cell(channel, feature))));
  return element("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": say("chart.table") },
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
    element("span", { class: "support", "data-support": support }, sayName("support", support)),
    note ? element("span", { class: "note", lang: "en", dir: "auto" }, ` ${note}`) : "");
}
