// @ts-check
// The page's words, in the language that the server chose, and numbers and times written as that language writes them.

/** @typedef {string | Record<string, string>} Word a text, or one for each plural form */

/** @type {{ languages: Record<string, string>, words: Record<string, Word> }} */
const { languages, words } = JSON.parse(document.getElementById("words")?.textContent || '{"languages":{},"words":{}}');

const PARTS = /(?<value>\{\w+\})/u;
const PLACEHOLDER = /\{(?<name>\w+)\}/gu;

// A name keeps its own direction, and moves nothing beside it: first-strong isolate, and its end.
const ISOLATE = "\u2068";
const END = "\u2069";

export { languages };
export const language = document.documentElement.lang || "en";

export const rightToLeft = document.documentElement.dir === "rtl";

// The browser's own variant of the language, such as en-GB. Digits are those of phone numbers and of the server's sentences.
const variant = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
export const locale = new Intl.Locale(variant, { numberingSystem: "latn" });

const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const plurals = new Intl.PluralRules(language);

/** @param {number} value */
export function formatNumber(value) {
  return numbers.format(value);
}

/** @param {string} key */
export function isSaid(key) {
  return Object.hasOwn(words, key);
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  return fill(text(key, "other"), values);
}

/**
 * The text for a number of things, which it calls `{count}`.
 * @param {string} key
 * @param {number} count
 * @param {Record<string, string | number>} [values]
 */
export function sayCount(key, count, values = {}) {
  return fill(text(key, plurals.select(count)), { count, ...values });
}

/**
 * The words for one name of a kind, or the name itself if the page knows no words for it.
 * @param {string} kind
 * @param {string} name
 */
export function sayName(kind, name) {
  const key = `${kind}.${name}`;
  return isSaid(key) ? say(key) : name.replaceAll("_", " ");
}

/**
 * A text with elements in the places of its values.
 * @param {string} key
 * @param {Record<string, Node | string>} values
 */
export function sayWith(key, values) {
  return text(key, "other").split(PARTS).map((part) => (part.startsWith("{") ? values[part.slice(1, -1)] ?? "" : part));
}

/** @param {string[]} parts */
export function listed(parts) {
  return parts.filter(Boolean).join(say("comma"));
}

/**
 * @param {string} key
 * @param {string} form
 */
function text(key, form) {
  const word = words[key] ?? key;
  return typeof word === "string" ? word : word[form] ?? word.other ?? "";
}

/**
 * @param {string} content
 * @param {Record<string, string | number>} values
 */
function fill(content, values) {
  return content.replace(PLACEHOLDER, (_all, name) => write(values[name] ?? ""));
}

/** @param {string | number} value */
function write(value) {
  if (typeof value === "number") return formatNumber(value);
  return rightToLeft && value ? `${ISOLATE}${value}${END}` : value;
}
