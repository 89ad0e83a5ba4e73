// @ts-check
// A video that plays in place. Poster and length show before it plays. Nothing loads before it is near the view.

import { element } from "./element.js";
import { playIcon } from "./icons.js";
import { renewLink } from "./playback.js";
import { labelOf } from "./time-format.js";
import { say } from "./words.js";

/** @import { Origin, VisibleAttachment } from "./types.d.ts" */

const TALLEST = 420;
const WIDEST = 440;

const nearby = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (isIntersecting && target instanceof HTMLVideoElement) {
      nearby.unobserve(target);
      target.poster = target.dataset.poster ?? "";
      // Setting it again would stop a video that plays already.
      if (!target.src) target.src = target.dataset.source ?? "";
    }
  }
}, { rootMargin: "300px" });

/**
 * @param {VisibleAttachment} attachment
 * @param {Origin} line
 */
export function videoNode(attachment, line) {
  const base = `attachments/${attachment.id}`;
  const still = attachment.renditions.includes("poster") ? "poster" : "thumbnail";
  const label = labelOf("video", attachment.name, line.at);
  const video = element("video", {
    preload: "none", playsinline: true, "aria-label": label,
    "data-poster": `${base}/${still}`, "data-source": `${base}/video`,
  });
  const play = element("button", {
    class: "play", type: "button", "aria-label": attachment.length ? say("play.length", { label, length: attachment.length }) : say("play", { label }),
  }, element("span", { class: "play-disc" }, playIcon()));
  const player = element("div", { class: "player", "data-idle": "true" }, video, play,
    attachment.length ? element("span", { class: "length", "aria-hidden": "true" }, attachment.length) : null);
  setSize(player, attachment);
  play.addEventListener("click", () => start(player, video));
  video.addEventListener("error", () => renew(player, video));
  nearby.observe(video);
  return player;
}

/**
 * @param {HTMLElement} player
 * @param {VisibleAttachment} attachment
 */
function setSize(player, { width, height }) {
  if (!(width && height)) return;
  const scale = Math.min(WIDEST / width, TALLEST / height);
  player.style.setProperty("--ratio", `${width} / ${height}`);
  player.style.setProperty("--shown-width", `${Math.max(160, Math.round(width * scale))}px`);
}

/**
 * @param {HTMLElement} player
 * @param {HTMLVideoElement} video
 */
function start(player, video) {
  player.dataset.idle = "false";
  video.controls = true;
  if (!video.src) video.src = video.dataset.source ?? "";
  video.focus();
  video.play().catch((error) => {
    // Leaving or reloading the page aborts playing. Other failures arrive as the video's error event.
    if (error.name === "NotAllowedError") player.dataset.idle = "true";
  });
}

/**
 * @param {HTMLElement} player
 * @param {HTMLVideoElement} video
 */
function renew(player, video) {
  if (player.dataset.idle === "true") return;
  renewLink(video, video.dataset.source ?? "", () => showFailure(player));
}

/** @param {HTMLElement} player */
function showFailure(player) {
  if (player.dataset.idle === "true" || player.querySelector(".player-message")) return;
  player.append(element("p", { class: "player-message", role: "status" }, say("video.failed")));
}
