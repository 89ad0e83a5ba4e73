// @ts-check
// The page's words, and numbers, sizes and times in the reader's language.

const LANGUAGES = ["en", "de", "ar"];

const asked = new URLSearchParams(location.search).get("language");
const wanted = asked ? [asked, ...navigator.languages] : navigator.languages;

export const language = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";

/** @type {Record<string, string>} */
let words = {};
// Asked for before the other modules run.
const asking = fetch(`/static/words/${language}.json`);
asking.catch(() => undefined);

export async function loadWords() {
  words = await (await asking).json();
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(/** @type {HTMLElement} */ (node).dataset.word ?? "");
  for (const node of document.querySelectorAll("[data-placeholder]")) node.setAttribute("placeholder", say(/** @type {HTMLElement} */ (node).dataset.placeholder ?? ""));
  for (const node of document.querySelectorAll("[data-label]")) {
    const label = say(/** @type {HTMLElement} */ (node).dataset.label ?? "");
    node.setAttribute("aria-label", label);
    if (node.matches("button")) node.setAttribute("title", label);
  }
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(?<name>\w+)\}/gu, (_all, name) => String(values[name] ?? ""));
}

/**
 * The sentence for one code of several, or the general one of its kind.
 * @param {string} kind
 * @param {string | null} code
 */
export function sayCode(kind, code, values = {}) {
  const key = `${kind}.${code}`;
  return say(key in words ? key : `${kind}.other`, values);
}

// Made when first used: on a slow phone, the browser takes 60 ms for the four, and a new chat needs none of them.
const clock = once(() => new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }));
const date = once(() => new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" }));
const relative = once(() => new Intl.RelativeTimeFormat(language, { numeric: "auto" }));
const exact = once(() => new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }));
const DAY = 86_400_000;

/**
 * @template T
 * @param {() => T} make
 * @returns {() => T}
 */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

/** @param {number} at */
export function time(at) {
  return clock().format(at);
}

/** @param {number} at */
export function fullTime(at) {
  return exact().format(at);
}

/** @param {number} at */
export function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);
  const name = days < 2 ? relative().format(-days, "day") : date().format(at);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

/** @param {number} part of one */
export function share(part) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(part);
}

/** @param {number} bytes */
export function size(bytes) {
  const [unit, number] = bytes < 1e6 ? ["kilobyte", Math.max(1, Math.round(bytes / 1e3))] : ["megabyte", Math.round(bytes / 1e5) / 10];
  return new Intl.NumberFormat(language, { style: "unit", unit: String(unit), unitDisplay: "short" }).format(Number(number));
}

/**
 * m:ss in the reader's digits.
 * @param {number} seconds
 */
export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = new Intl.NumberFormat(language, { minimumIntegerDigits: 2 });
  return `${new Intl.NumberFormat(language).format(Math.floor(whole / 60))}:${two.format(whole % 60)}`;
}
