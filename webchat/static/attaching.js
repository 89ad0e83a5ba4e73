// @ts-check
// Choosing, taking, pasting and dropping of files, up to their preview.

import { check, local, pick, recordingName } from "./picking.js";
import { preview } from "./preview.js";
import { framed } from "./session.js";
import { say, size } from "./words.js";

/**
 * @import { Entry } from "./menu.js"
 * @import { Source } from "./picking.js"
 * @import { LocalFile } from "./types.d.ts"
 */

/**
 * @typedef {object} Sender
 * @property {() => { text: number, file_bytes: number }} limits
 * @property {() => string[]} accept
 * @property {() => string} consumer
 * @property {(text: string, files: LocalFile[]) => Promise<void>} send
 * @property {(words: string) => void} warn
 */

// A phone's own camera takes the better photos, and needs no permission.
const PHONE = matchMedia("(pointer: coarse)");

/**
 * What the menu offers: one entry for each input, because phones open one source for each.
 * @param {Sender} sender
 * @returns {Entry[]}
 */
export function attachEntries(sender) {
  const accept = sender.accept();
  const takes = (/** @type {string} */ kind) => accept.some((type) => type.startsWith(kind));
  /** @type {(Entry | false)[]} */
  const entries = [
    takes("image/") && { word: say("menu.photo"), icon: "camera", press: () => shoot("photo", sender) },
    takes("video/") && { word: say("menu.video"), icon: "video", press: () => shoot("video", sender) },
    { word: say(takes("video/") ? "menu.library" : "menu.image"), icon: "library", press: () => choose("library", sender) },
  ];
  return entries.filter((entry) => entry !== false);
}

/**
 * @param {Source} source
 * @param {Sender} sender
 */
export function choose(source, sender) {
  pick(source, sender.accept(), (file) => take(file, sender, source));
}

/**
 * Check a file, and show it before it is sent.
 * @param {File} file
 * @param {Sender} sender
 * @param {Source} [source]
 */
export async function take(file, sender, source = "library") {
  const limit = sender.limits().file_bytes;
  const checked = await check(file, sender.accept(), limit);
  if (checked.refused) sender.warn(say(`pick.${checked.refused}`, { size: size(limit) }));
  else show({ file: checked.file }, say("another"), () => choose(source, sender), sender);
}

/**
 * @param {"photo" | "video"} kind
 * @param {Sender} sender
 */
async function shoot(kind, sender) {
  if ((kind === "photo" && PHONE.matches) || !navigator.mediaDevices) {
    choose(kind, sender);
    return;
  }
  const [{ offersCamera, openCamera }, { openWindow }] = await Promise.all([import("./camera.js"), import("./window.js")]);
  if (!offersCamera(kind)) {
    choose(kind, sender);
    return;
  }
  await openCamera({
    kind, limit: sender.limits().file_bytes, consumer: sender.consumer(),
    taken: (file, drop) => show({ file, drop }, say("retake"), () => shoot(kind, sender), sender),
    instead: () => choose(kind, sender), elsewhere: framed ? openWindow : null,
  });
}

/**
 * @param {{ file: LocalFile, drop?: (() => void) | undefined }} shown `drop` is called when it was sent, or is not wanted
 * @param {string} again
 * @param {() => void} retake
 * @param {Sender} sender
 */
function show({ file, drop = () => undefined }, again, retake, sender) {
  preview(file, {
    again, retake, limit: sender.limits().text, cancelled: drop,
    send: (caption) => void sender.send(caption, [file]).then(drop),
  });
}

/**
 * Offer a recording that a crash or a reload interrupted.
 * @param {Sender} sender
 */
export async function offerInterrupted(sender) {
  const { interrupted } = await import("./keeping.js");
  const found = await interrupted(sender.consumer());
  if (!found) return;
  const { ask } = await import("./dialogs.js");
  const { blob, seconds, drop } = found;
  const file = local(blob, recordingName(blob), Math.round(seconds * 10) / 10);
  ask(say("interrupted"), say("interrupted.show"), () => show({ file, drop: () => void drop() }, say("retake"), () => shoot("video", sender), sender), {
    word: say("interrupted.drop"), work: () => void drop(),
  });
}
