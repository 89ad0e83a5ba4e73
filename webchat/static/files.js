// @ts-check
// Where a file of the transcript comes from: this device, or the sanitized files of the server.

/** @import { ShownFile } from "./types.d.ts" */

/** @type {Map<string, string>} */
const addresses = new Map();
/** Files of this device that the browser cannot show, such as HEIC. @type {Set<string>} */
const unshowable = new Set();

/** @type {(path: string) => string | null} */
let resolve = (path) => path;

/** @param {(path: string) => string | null} resolver gives the address from which a sanitized file can be shown */
export function resolveBy(resolver) {
  resolve = resolver;
}

/** @param {ShownFile} file */
export function isVideo(file) {
  return file.type.startsWith("video");
}

/** @param {ShownFile} file */
export function isPicture(file) {
  return file.type.startsWith("image") || isVideo(file);
}

/**
 * The address of the file on this device, null if it is not here or cannot be shown.
 * @param {ShownFile} file
 */
export function localAddress({ key, local }) {
  if (!local || unshowable.has(key)) return null;
  const address = addresses.get(key) ?? URL.createObjectURL(local);
  addresses.set(key, address);
  return address;
}

/** @param {string} key */
export function noteUnshowable(key) {
  unshowable.add(key);
}

/**
 * The address of the first of some sanitized files that exists.
 * @param {ShownFile} file
 * @param {string[]} wanted
 */
export function cleanAddress({ id, state, renditions }, ...wanted) {
  const found = wanted.find((name) => renditions.includes(name));
  return id && found && state === "ready" ? resolve(`/v1/attachments/${id}/${found}`) : null;
}

/** Lets go of all files of this device: a revoked address shows nothing any more. */
export function releaseFiles() {
  for (const address of addresses.values()) URL.revokeObjectURL(address);
  addresses.clear();
  unshowable.clear();
}
