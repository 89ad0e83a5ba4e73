// @ts-check
// One message. An update replaces only the parts that changed, so that a picture does not flicker.

import { element, icon } from "./element.js";
import { cleanAddress, isPicture, isVideo, localAddress, noteUnshowable } from "./files.js";
import { fullTime, length, say, sayCode, share, size, time } from "./words.js";

/**
 * @import { IconName } from "./element.js"
 * @import { Actions, Line, ShownFile } from "./types.d.ts"
 */

/** @type {WeakMap<Element, Map<string, { json: string, node: ChildNode }>>} */
const drawn = new WeakMap();

const LINK = /(?<link>https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/u;

/** @type {Record<string, IconName>} */
const TICKS = { waiting: "waiting", offline: "waiting", sending: "waiting", sent: "sent", received: "received", read: "received", failed: "failed", refused: "failed" };

/** @param {Line} line */
export function newBubble({ id, own }) {
  // Own messages are not read out: their writer knows them. Their failures are, elsewhere.
  return element("li", { class: "line", "data-id": id, "data-own": String(own), "aria-live": own ? "off" : null });
}

/**
 * @param {HTMLElement} node
 * @param {Line} line
 * @param {Actions} actions
 */
export function drawBubble(node, line, actions) {
  const failed = line.own && line.state === "failed" && line.position === null;
  node.dataset.state = line.state;
  part(node, "writer", line.own, () => element("span", { class: "unseen" }, say(line.own ? "you" : "agent")));
  const bubble = /** @type {HTMLElement} */ (part(node, "bubble", failed, () => (failed
    ? element("button", { type: "button", class: "bubble", onclick: () => actions.retry(line) })
    : element("div", { class: "bubble" }))));
  part(bubble, "quote", line.quote, () => line.quote && element("p", { class: "quote", dir: "auto" }, line.quote));
  for (const file of line.files) {
    const shown = [localAddress(file), stillAddress(file), file.name, failed];
    part(bubble, `file ${file.key}`, shown, () => media(file, line, actions, !failed));
    part(bubble, `state ${file.key}`, [file.state, file.reason], () => fileState(file, line, actions));
  }
  part(bubble, "text", line.text, () => line.text && element("p", { class: "text", dir: "auto" }, ...linked(line.text)));
  part(bubble, "retry", failed && line.reason, () => failed && element("span", { class: "retry" }, why(line)));
  const percent = line.state === "sending" && line.files.length ? Math.round(line.progress * 100) : null;
  part(node, "progress", percent, () => progress(line, actions));
  part(node, "meta", [line.state, line.at, line.reason, percent], () => meta(line, actions));
}

/**
 * @param {Element} parent
 * @param {string} name
 * @param {unknown} shown
 * @param {() => ChildNode | null | undefined | false | ""} build
 */
function part(parent, name, shown, build) {
  const parts = drawn.get(parent) ?? new Map();
  drawn.set(parent, parts);
  const json = JSON.stringify(shown) ?? "";
  const old = parts.get(name);
  if (old?.json === json) return old.node;
  const node = build() || document.createComment(name);
  const focused = old?.node.contains(document.activeElement);
  if (old) old.node.replaceWith(node);
  else parent.append(node);
  parts.set(name, { json, node });
  if (focused && node instanceof HTMLElement) (node.matches("button") ? node : node.querySelector("button"))?.focus();
  return node;
}

/** @param {Line} line */
function why({ reason, files }) {
  return reason === null ? say("failed.network") : sayCode("failed", reason, { size: size(files[0]?.bytes ?? 0) });
}

/** @param {ShownFile} file */
function stillAddress(file) {
  return cleanAddress(file, "thumbnail", "poster", "preview");
}

/**
 * @param {ShownFile} file
 * @param {Line} line
 * @param {Actions} actions
 * @param {boolean} opens whether a press shows it in full
 */
function media(file, line, actions, opens) {
  const local = localAddress(file);
  const still = stillAddress(file);
  if (!(isPicture(file) && (local || still))) return plain(file);
  const video = isVideo(file);
  const failed = () => {
    noteUnshowable(file.key);
    actions.redraw(line);
  };
  const alt = opens ? "" : say("photo");
  const picture = local && video
    // A frame shortly after the start: some browsers show nothing at the very start.
    ? element("video", { src: `${local}#t=0.1`, preload: "metadata", muted: true, playsinline: true, tabindex: -1, "aria-hidden": "true", onerror: failed })
    : element("img", { src: local ?? still, alt, width: file.width, height: file.height, decoding: "async", onerror: local ? failed : null });
  const content = [picture, video && element("span", { class: "disc" }, icon("play", 26)), video && file.seconds !== null && element("span", { class: "length" }, length(file.seconds))];
  const label = video ? say("view.video", { length: file.seconds === null ? "" : length(file.seconds) }) : say("view.photo");
  return opens
    ? element("button", { type: "button", class: "media", "aria-label": label, onclick: () => actions.view(file.key) }, ...content)
    : element("span", { class: "media" }, ...content);
}

/** @param {ShownFile} file */
function plain(file) {
  return element("span", { class: "tile" }, icon(isPicture(file) && file.state !== "checking" && file.state !== "local" ? "hidden" : "file", 30),
    element("bdi", { class: "tile-name" }, file.name ?? say("file")), element("span", {}, size(file.bytes)));
}

/**
 * What became of a file, and why it may not be shown.
 * @param {ShownFile} file
 * @param {Line} line
 * @param {Actions} actions
 */
function fileState({ state, reason }, line, actions) {
  if (state === "local") return null;
  if (state === "checking" || state === "ready") return element("p", { class: "file-state", "data-state": state }, say(`file.${state}`));
  return element("p", { class: "file-state", "data-state": state },
    icon("failed", 16), element("span", {}, `${say("file.hidden")} ${sayCode("reason", reason)}`),
    element("button", { type: "button", class: "text-button", onclick: () => actions.another(line) }, say("another")));
}

/**
 * @param {Line} line
 * @param {Actions} actions
 */
function progress(line, actions) {
  if (line.state !== "sending" || !line.files.length) return null;
  const percent = Math.round(line.progress * 100);
  const ring = element("span", { class: "ring", role: "progressbar", "aria-label": say("sending"), "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent });
  ring.style.setProperty("--share", `${percent}%`);
  return element("div", { class: "progress" }, ring,
    element("button", { type: "button", class: "stop", "aria-label": say("cancel"), title: say("cancel"), onclick: () => actions.cancel(line) }, icon("close", 18)));
}

/**
 * @param {Line} line
 * @param {Actions} actions
 */
function meta(line, actions) {
  const at = element("time", { datetime: new Date(line.at).toISOString(), title: fullTime(line.at) }, time(line.at));
  if (!line.own) return element("p", { class: "meta" }, at);
  if (line.state === "refused") {
    return element("div", { class: "meta", "data-bad": "true" },
      element("span", {}, sayCode("refused", line.reason, { size: size(line.files[0]?.bytes ?? 0) })),
      line.files.length
        ? element("button", { type: "button", class: "text-button", onclick: () => actions.another(line) }, say("another"))
        : element("button", { type: "button", class: "text-button", onclick: () => actions.edit(line) }, say("edit")),
      element("button", { type: "button", class: "text-button", onclick: () => actions.cancel(line) }, say("remove")));
  }
  if (line.state === "sending" && line.files.length) return element("p", { class: "meta" }, `${say("sending")} ${share(line.progress)}`);
  return element("p", { class: "meta", "data-bad": line.state === "failed" ? "true" : null }, at, ticks(line),
    (line.state === "failed" || line.state === "offline") && line.position === null
      && element("button", { type: "button", class: "text-button", onclick: () => actions.cancel(line) }, say("cancel")));
}

/** @param {Line} line */
function ticks({ state, position }) {
  const undelivered = state === "failed" && position !== null;
  return element("span", { class: "ticks", title: say(`state.${state}`) }, icon(TICKS[state] ?? "sent", 17),
    element("span", { class: undelivered || state === "offline" ? "" : "unseen" }, say(undelivered ? "state.undelivered" : `state.${state}`)));
}

/**
 * The text with its web addresses as links.
 * @param {string} text
 */
function linked(text) {
  return text.split(LINK).map((piece, index) => (index % 2
    ? element("a", { href: piece, target: "_blank", rel: "noopener noreferrer nofollow" }, piece)
    : piece));
}
