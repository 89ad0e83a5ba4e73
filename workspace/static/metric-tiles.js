// @ts-check
// Tiles for the gateway's metrics: rates, durations and queues.

import { element } from "./element.js";
import { formatNumber, isSaid, locale, say } from "./words.js";

/** @import { MetricFamily, MetricSample } from "./types.d.ts" */

/** @typedef {{ bound: number, value: number }} Bucket */

/** @type {Map<string, { total: number, now: number }>} */
const previousTotals = new Map();

const milliseconds = new Intl.NumberFormat(locale, { style: "unit", unit: "millisecond" });
const seconds = new Intl.NumberFormat(locale, { style: "unit", unit: "second", minimumFractionDigits: 1, maximumFractionDigits: 1 });

const PREFIX = /^airlock_/u;
const UNIT = /_(?:seconds|bytes)$/u;

const SHOWN_ELSEWHERE = new Set(["airlock_connector_healthy"]);

/** @type {(keyof typeof TILES)[]} */
const GROUPS = ["counter", "histogram", "gauge"];

/** @param {MetricFamily[]} families */
export function metricTiles(families) {
  const now = performance.now();
  const groups = GROUPS.flatMap((type) => {
    const tiles = families.filter((family) => family.type === type && !SHOWN_ELSEWHERE.has(family.name)).flatMap((family) => TILES[type](family, now));
    return tiles.length ? [element("h3", {}, say(`metrics.${type}`)), element("div", { class: "tiles" }, ...tiles)] : [];
  });
  return groups.length ? groups : [element("p", { class: "muted" }, say("metrics.none"))];
}

const TILES = {
  /**
   * @param {MetricFamily} family
   * @param {number} now
   */
  counter: (family, now) => {
    const totals = family.samples.filter(({ name }) => name.endsWith("_total"));
    const total = sum(totals);
    const parts = totals.filter(({ value, labels }) => value && Object.keys(labels).length).map(({ labels, value }) => part(labelText(labels), formatNumber(value)));
    return [tile(titleOf(family.name), say("metrics.rate", { rate: rate(family.name, total, now) }), say("metrics.total", { number: total }), parts)];
  },
  /** @param {MetricFamily} family */
  gauge: (family) => family.samples.map(({ labels, value }) =>
    tile([titleOf(family.name), labelText(labels)].filter(Boolean).join(", "), formatNumber(value), element("span", { lang: "en", dir: "auto" }, family.help))),
  /** @param {MetricFamily} family */
  histogram: (family) => {
    const groups = groupByLabels(family.samples.filter(({ name }) => name.endsWith("_bucket")));
    const all = mergeBuckets([...groups.values()].flat());
    if (!count(all)) return [];
    const parts = [...groups].map(([name, samples]) => ({ name, buckets: mergeBuckets(samples) })).filter(({ name, buckets }) => name && count(buckets))
      .map(({ name, buckets }) => part(name, `${formatSeconds(quantile(buckets, 0.5))}, ${formatSeconds(quantile(buckets, 0.95))}`));
    return [tile(titleOf(family.name), formatSeconds(quantile(all, 0.5)), say("metrics.median", { number: count(all), time: formatSeconds(quantile(all, 0.95)) }), parts)];
  },
};

/**
 * @param {string} words
 * @param {string} number
 * @param {string | Node} detail
 * @param {Node[]} parts
 */
function tile(words, number, detail, parts = []) {
  return element("div", { class: "tile" },
    element("p", { class: "tile-text" }, element("bdi", {}, words)), element("p", { class: "tile-number" }, number),
    element("p", { class: "tile-text" }, detail), parts.length ? element("dl", { class: "tile-parts" }, ...parts) : null);
}

/**
 * @param {string} name
 * @param {string} value
 */
function part(name, value) {
  return element("div", {}, element("dt", {}, element("bdi", {}, name)), element("dd", {}, value));
}

/** @param {Record<string, string>} labels */
function labelText({ le, ...labels }) {
  return Object.values(labels).filter(Boolean).join(" ").replaceAll("_", " ");
}

/**
 * Return the rate per second since the last refresh. It is 0 at the first load, which has nothing to compare with.
 * @param {string} name
 * @param {number} total
 * @param {number} now
 */
function rate(name, total, now) {
  const before = previousTotals.get(name);
  previousTotals.set(name, { total, now });
  if (!before || now <= before.now || total < before.total) return 0;
  return (total - before.total) / ((now - before.now) / 1000);
}

/** @param {MetricSample[]} samples */
function groupByLabels(samples) {
  /** @type {Map<string, MetricSample[]>} */
  const groups = new Map();
  for (const sample of samples) {
    const name = labelText(sample.labels);
    groups.set(name, [...(groups.get(name) ?? []), sample]);
  }
  return groups;
}

/**
 * Add up the buckets of all samples, in order of their bounds.
 * @param {MetricSample[]} samples
 * @returns {Bucket[]}
 */
function mergeBuckets(samples) {
  /** @type {Map<number, number>} */
  const byBound = new Map();
  for (const { labels, value } of samples) {
    const bound = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
    byBound.set(bound, (byBound.get(bound) ?? 0) + value);
  }
  return [...byBound].sort(([a], [b]) => a - b).map(([bound, value]) => ({ bound, value }));
}

/** @param {Bucket[]} buckets */
function count(buckets) {
  return buckets.at(-1)?.value ?? 0;
}

/**
 * @param {Bucket[]} buckets
 * @param {number} share
 */
function quantile(buckets, share) {
  const wanted = count(buckets) * share;
  const place = buckets.findIndex(({ value }) => value >= wanted);
  const low = buckets[place - 1] ?? { bound: 0, value: 0 };
  const high = buckets[place];
  if (!high || high.bound === Number.POSITIVE_INFINITY) return low.bound;
  return low.bound + ((high.bound - low.bound) * (wanted - low.value)) / Math.max(1e-9, high.value - low.value);
}

/** @param {number} value */
function formatSeconds(value) {
  return value < 1 ? milliseconds.format(Math.round(value * 1000)) : seconds.format(value);
}

/** @param {MetricSample[]} samples */
function sum(samples) {
  return samples.reduce((total, { value }) => total + value, 0);
}

/** @param {string} name */
function titleOf(name) {
  if (isSaid(`metric.${name}`)) return say(`metric.${name}`);
  const words = name.replace(PREFIX, "").replace(UNIT, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
