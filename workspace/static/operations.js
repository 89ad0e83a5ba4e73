// @ts-check
// The operators' page: health, channels, metrics and failures, refreshed every few seconds.

import { fillAccountMenu } from "./account-menu.js";
import { getJson, loadMe, postJson } from "./api-client.js";
import { byId, element } from "./element.js";
import { loadWithRetry, showError } from "./error-bar.js";
import { featureChart } from "./feature-chart.js";
import { metricTiles } from "./metric-tiles.js";
import { formatDateTime, formatFull, formatRecent } from "./time-format.js";
import { say, sayCount, sayName, sayWith } from "./words.js";

/**
 * @import { Elements } from "./elements.d.ts"
 * @import { AccountNotice, Channel, Check, Failure, OperationsReport, Part, Problem } from "./types.d.ts"
 */

const REFRESH_INTERVAL = 5000;

async function load() {
  try {
    show(await getJson("api/operations"));
    showError(null);
  } catch (error) {
    showError(error);
  }
}

/** @param {OperationsReport} found */
function show(found) {
  fill("problems", { content: found.problems }, problemList);
  document.title = `${found.problems.length ? `(${found.problems.length}) ` : ""}${say("operations")}`;
  fill("health", found.health, (checks) => checks.map((check) => tile(check, "tile-name")));
  fill("channels", found.channels, (channels) => channels.map(channelTile));
  fill("numbers", found.numbers, (families) => metricTiles(families));
  fill("failures", found.failures, failureTable);
  fill("chart", found.channels, (channels) => [featureChart(channels)]);
  byId("retry-all").hidden = !(found.failures.content ?? []).some((failure) => failure.can_retry);
  byId("notices-section").hidden = !found.notices.length;
  byId("notices").replaceChildren(...found.notices.map(noticeLine));
}

// A part is redrawn only if its content changed, so that the keyboard focus stays. Metrics have nothing to focus, and
// their rates change even if the totals do not.
const drawn = new Map();

/**
 * @template Content
 * @param {keyof Elements} id
 * @param {Part<Content>} part
 * @param {(content: Content) => Node[]} build
 */
function fill(id, part, build) {
  const json = JSON.stringify(part);
  if (drawn.get(id) === json && id !== "numbers") return;
  drawn.set(id, json);
  byId(id).replaceChildren(...("content" in part ? build(part.content) : [element("p", { class: "muted" }, part.trouble)])); // allow-word
}

/** @param {Problem[]} problems */
function problemList(problems) {
  if (!problems.length) return [element("p", { class: "all-well" }, dot("ok"), say("operations.well"))];
  return [element("ol", { class: "problems" }, ...problems.map(problemItem))];
}

/** @param {Problem} problem */
function problemItem({ urgent, what, todo, since, noticed }) {
  const at = since ?? noticed;
  return element("li", { class: "problem", "data-urgent": String(urgent) },
    element("p", { class: "problem-what" }, dot(urgent ? "fail" : "warn"),
      element("span", {}, element("span", { class: "visually-hidden" }, urgent ? `${say("operations.urgent")} ` : ""), what)),
    element("p", { class: "problem-since" }, ...sayWith(since === null ? "operations.noticed" : "operations.since", { time: element("time", { datetime: new Date(at).toISOString(), title: formatFull(at) }, formatDateTime(at)) })),
    element("p", { class: "problem-todo" }, element("b", {}, say("operations.todo"), " "), todo));
}

/** @param {Check} check */
function tile({ name, state, detail }, kind = "") {
  return element("div", { class: "tile" },
    element("p", { class: "tile-head" }, dot(state), element("span", { class: kind }, sayName("check", name)), element("span", { class: "tile-state" }, sayName("health", state))),
    element("p", { class: "tile-text", lang: "en", dir: "auto" }, detail ?? ""));
}

/**
 * Operators recognise an account by the platform's own name for it.
 * @param {Channel} one
 */
function channelTile(one) {
  const { state = "unknown", account, detail, checked_at: checked } = one.health ?? {};
  return element("div", { class: "tile", "data-channel": one.connector },
    element("p", { class: "tile-head" }, dot(state), element("bdi", {}, one.connector), element("span", { class: "tile-state" }, sayName("health", state))),
    element("p", { class: "tile-account" }, element("bdi", {}, account ?? "")),
    element("p", { class: "tile-text" }, element("bdi", {}, one.label ?? one.platform), checked ? element("span", {}, ` · ${say("operations.checked", { time: formatRecent(new Date(checked)) })}`) : ""),
    detail ? element("p", { class: "tile-text tile-error", lang: "en", dir: "auto" }, detail.replaceAll("_", " ")) : null);
}

/** @param {string} state */
function dot(state) {
  return element("span", { class: "dot", "data-state": state });
}

/** @param {Failure} failure */
function cause({ reason, code, detail }) {
  const words = [reason?.replaceAll("_", " "), code && `(${code})`].filter(Boolean).join(" ");
  return [words, detail].filter(Boolean).join(": ");
}

/** @param {Failure[]} found */
function failureTable(found) {
  if (!found.length) return [element("p", { class: "muted" }, say("failures.none"))];
  const rows = found.map((failure) => element("tr", {},
    element("td", {}, element("time", { datetime: failure.at }, formatDateTime(new Date(failure.at)))),
    element("td", {}, element("bdi", {}, failure.connector ?? "")),
    element("td", {}, sayName("failure", failure.kind)),
    element("td", { lang: "en", dir: "auto" }, cause(failure)),
    element("td", {}, failure.can_retry ? retryButton(failure.id) : "")));
  return [element("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": say("failures.table") },
    element("table", { class: "table table-wide" },
      element("thead", {}, element("tr", {}, ...["when", "channel", "what", "why", "retry"].map((name) => element("th", { scope: "col" }, say(`failures.${name}`))))),
      element("tbody", {}, ...rows)))];
}

/** @param {string} id */
function retryButton(id) {
  const button = element("button", { class: "button", type: "button", "aria-label": say("failures.retry_one", { id }) }, say("failures.retry"));
  button.addEventListener("click", () => retry(id, button));
  return button;
}

/**
 * @param {string} id
 * @param {HTMLButtonElement} button
 */
async function retry(id, button) {
  button.disabled = true;
  try {
    const { results } = await postJson(`api/failures/${encodeURIComponent(id)}/retry`, {});
    const done = (results ?? []).map((result) => result.detail ?? result.status);
    byId("announcer").textContent = done.length > 1 ? sayCount("failures.retrying_many", done.length) : done.join("") || say("failures.retrying");
  } catch (error) {
    showError(error);
  } finally {
    button.disabled = false;
    await load();
  }
}

/** @param {AccountNotice} notice */
function noticeLine({ at, connector, kind, text }) {
  return element("p", {}, element("span", { class: "muted" }, `${formatDateTime(at)} · `, element("bdi", {}, connector), " · "), element("bdi", {}, text ?? String(kind).replaceAll("_", " ")));
}

byId("retry-all").addEventListener("click", () => retry("all", byId("retry-all")));
setInterval(async () => { if (!document.hidden) await load(); }, REFRESH_INTERVAL);
fillAccountMenu(byId("links"), await loadWithRetry(loadMe), "operations");
await load();
