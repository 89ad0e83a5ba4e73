// @ts-check
// Files that a consumer picks, drops or pastes: what they are is checked before they are shown and sent.

import { newId } from "./api.js";
import { element } from "./element.js";

/** @import { LocalFile } from "./types.d.ts" */

/** @typedef {"photo" | "video" | "library"} Source */

// iOS turns HEIC into JPEG only if the list does not name it.
const IOS = /iP(?:hone|ad|od)/u.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const SHOWN = /^(?:image|video)\//u;
const IOS_TAKES = new Set(["image/jpeg", "image/png", "image/gif", "video/mp4", "video/quicktime"]);
// Systems that do not know a type know its files by their names.
const NAMES = /** @type {Record<string, string>} */ ({ "image/heic": ".heic", "image/heif": ".heif" });

/**
 * One input for each source: iOS drops one kind where a capturing input names two, and Android offers only one of them.
 * @param {Source} source
 * @param {string[]} accept
 * @returns {Record<string, string>}
 */
function attributes(source, accept) {
  if (source !== "library") return { accept: source === "photo" ? "image/*" : "video/*", capture: "environment" };
  const types = IOS ? accept.filter((type) => IOS_TAKES.has(type) || !SHOWN.test(type)) : accept;
  return { accept: types.flatMap((type) => (NAMES[type] && !IOS ? [type, NAMES[type]] : [type])).join() };
}

/**
 * Open the system's window for files. It must be called while a press is handled.
 * @param {Source} source
 * @param {string[]} accept the types that the site takes
 * @param {(file: File) => void} picked
 */
export function pick(source, accept, picked) {
  const input = element("input", { type: "file", hidden: true, "data-source": source, ...attributes(source, accept) });
  // The input stays in the page meanwhile: some browsers forget one that is in no document.
  document.querySelector("input[type=file]")?.remove();
  document.body.append(input);
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    input.remove();
    if (file) picked(file);
  });
  input.click();
}

/** The beginnings of files that can be shown, as pairs of offset and text. @type {[string, number, string][]} */
const BEGINNINGS = [
  ["image/jpeg", 0, "\xff\xd8\xff"], ["image/png", 0, "\x89PNG"], ["image/gif", 0, "GIF8"], ["image/webp", 8, "WEBP"],
  ["image/bmp", 0, "BM"], ["image/tiff", 0, "II*\0"], ["image/tiff", 0, "MM\0*"], ["video/webm", 0, "\x1a\x45\xdf\xa3"],
  ["image/avif", 4, "ftypavif"], ["image/avif", 4, "ftypavis"], ["image/heic", 4, "ftyphe"], ["image/heic", 4, "ftypmif1"],
  ["image/heic", 4, "ftypmsf1"], ["video/quicktime", 4, "ftypqt"], ["video/3gpp", 4, "ftyp3g"], ["video/mp4", 4, "ftyp"],
  ["video/quicktime", 4, "moov"], ["video/quicktime", 4, "mdat"], ["video/quicktime", 4, "wide"],
];

/**
 * What a file is by its first bytes. Its name and the type that the system gives it prove nothing.
 * @param {Blob} blob
 */
export async function sniff(blob) {
  const bytes = new Uint8Array(await blob.slice(0, 16).arrayBuffer());
  const start = String.fromCharCode(...bytes);
  return BEGINNINGS.find(([, offset, text]) => start.startsWith(text, offset))?.[0] ?? null;
}

/**
 * @typedef {{ file: LocalFile, refused?: undefined } | { refused: "unsupported_type" | "too_large" | "empty" | "unreadable" }} Checked
 */

/**
 * Take a copy, because Android and cloud folders let a picked file go while it waits to be sent.
 * @param {File} file
 * @param {string[]} accept
 * @param {number} limit
 * @returns {Promise<Checked>}
 */
export async function check(file, accept, limit) {
  const copy = await file.arrayBuffer().catch(() => null);
  if (!copy) return { refused: "unreadable" };
  if (!copy.byteLength) return { refused: "empty" };
  const whole = new Blob([copy]);
  // Sound and documents are recognized by the server alone.
  const type = await sniff(whole) ?? (SHOWN.test(file.type) ? "" : file.type);
  if (!accept.includes(type)) return { refused: "unsupported_type" };
  let blob = new Blob([copy], { type });
  if (blob.size > limit && type.startsWith("image/")) blob = await shrink(blob) ?? blob;
  if (blob.size > limit) return { refused: "too_large" };
  return { file: local(blob, file.name) };
}

/**
 * @param {Blob} blob
 * @param {string} name
 * @param {number | null} seconds
 * @returns {LocalFile}
 */
export function local(blob, name, seconds = null) {
  const [type = ""] = blob.type.split(";");
  return { id: newId(), name, type, bytes: blob.size, seconds, blob: type === blob.type ? blob : new Blob([blob], { type }) };
}

/** @param {Blob} blob */
export function recordingName(blob) {
  return `video.${blob.type.includes("webm") ? "webm" : "mp4"}`;
}

// iOS draws nothing on a canvas with more pixels.
const MOST_PIXELS = 16_777_216;

/**
 * A smaller JPEG of a photo that is above the limit. Null if this browser cannot read it.
 * @param {Blob} blob
 */
async function shrink(blob) {
  const image = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => null);
  if (!image) return null;
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (image.width * image.height)));
  const canvas = element("canvas", { width: Math.floor(image.width * scale), height: Math.floor(image.height * scale) });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return toJpeg(canvas);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob | null>}
 */
export function toJpeg(canvas) {
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", 0.9);
  });
}
