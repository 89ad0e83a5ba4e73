// The gateway's own numbers as people read them: how much a second, how long it takes, how much waits.

import { element } from "./element.js";

const earlier = new Map();

export function numbers(families) {
  const now = performance.now();
  const tiles = families.flatMap((family) => TILES[family.type]?.(family, now) ?? []);
  return [tiles.length ? element("div", { class: "tiles" }, ...tiles) : element("p", { class: "faint" }, "The gateway tells no numbers yet.")];
}

const TILES = {
  counter: (family, now) => {
    const totals = family.samples.filter(({ name }) => name.endsWith("_total"));
    const total = sum(totals);
    const parts = totals.filter(({ value }) => value).map(({ labels, value }) => `${Object.values(labels).join(" ")} ${whole(value)}`);
    return [tile(title(family.name), `${rate(family.name, total, now)} /s`, `${whole(total)} since start`, parts)];
  },
  gauge: (family) => family.samples.map(({ labels, value }) =>
    tile(`${title(family.name)} ${Object.values(labels).join(" ")}`.trim(), whole(value), family.help)),
  histogram: (family) => {
    const buckets = merged(family.samples.filter(({ name }) => name.endsWith("_bucket")));
    const count = buckets.at(-1)?.value ?? 0;
    if (!count) return [];
    return [tile(title(family.name), seconds(quantile(buckets, 0.5)), `half of ${whole(count)}; 95 % within ${seconds(quantile(buckets, 0.95))}`)];
  },
};

function tile(words, number, detail, parts = []) {
  return element("div", { class: "tile" },
    element("p", { class: "tile-words" }, words), element("p", { class: "tile-number" }, number),
    element("p", { class: "tile-words" }, detail), ...parts.map((part) => element("p", { class: "tile-words" }, part)));
}

// Per second since this page last asked; the first look has nothing to compare with.
function rate(name, total, now) {
  const before = earlier.get(name);
  earlier.set(name, { total, now });
  if (!before || now <= before.now || total < before.total) return "0";
  return ((total - before.total) / ((now - before.now) / 1000)).toLocaleString(undefined, { maximumFractionDigits: 1 });
}

// Buckets of all labels together, in order of their bounds.
function merged(samples) {
  const byBound = new Map();
  for (const { labels, value } of samples) {
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    byBound.set(bound, (byBound.get(bound) ?? 0) + value);
  }
  return [...byBound].sort(([a], [b]) => a - b).map(([bound, value]) => ({ bound, value }));
}

function quantile(buckets, share) {
  const wanted = buckets.at(-1).value * share;
  const place = buckets.findIndex(({ value }) => value >= wanted);
  const low = place ? buckets[place - 1] : { bound: 0, value: 0 };
  const high = buckets[place];
  if (high.bound === Infinity) return low.bound;
  return low.bound + ((high.bound - low.bound) * (wanted - low.value)) / Math.max(1e-9, high.value - low.value);
}

function seconds(value) {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}

function sum(samples) {
  return samples.reduce((total, { value }) => total + value, 0);
}

function whole(value) {
  return value.toLocaleString(undefined, { maximumFractionDigits: 1 });
}

function title(name) {
  const words = name.replace(/^airlock_/, "").replace(/_(seconds|bytes)$/, "").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}
