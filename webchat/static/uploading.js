// @ts-check
// One file on its way: an empty upload first, then parts. After a break the server says where to go on.

import { call, either, Refused } from "./api.js";

/** @import { LocalFile } from "./types.d.ts" */

/** A part that takes longer is given up, and the next one is smaller: slow networks get through as well. */
const PART_TIME = 30_000;
const SMALLEST_PART = 65_536;
// A server that contradicts itself must not keep the page busy.
const MOST_CORRECTIONS = 20;

/** The size of the next part of a file whose last part took too long. @type {Map<string, number>} */
const sizes = new Map();

/**
 * Send the rest of a file. It may be called again after any failure.
 * @param {LocalFile} file
 * @param {{ resume: boolean, part: number, signal: AbortSignal, moved: (share: number) => void }} options
 */
export async function upload(file, { resume, part, signal, moved }) {
  let state = resume ? await askState(file, signal) : await create(file, signal);
  let size = sizes.get(file.id) ?? part;
  let corrections = 0;
  while (!state.complete) {
    moved(state.offset / file.bytes);
    try {
      state = await append(file, state.offset, size, signal);
      size = Math.min(part, size * 2);
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") sizes.set(file.id, Math.max(SMALLEST_PART, size / 4));
      corrections += 1;
      state = await correct(file, error, corrections, signal);
    }
  }
  sizes.delete(file.id);
  moved(1);
}

/**
 * The server is elsewhere, or has forgotten the upload. Anything else is a failure.
 * @param {LocalFile} file
 * @param {unknown} error
 * @param {number} corrections
 * @param {AbortSignal} signal
 */
function correct(file, error, corrections, signal) {
  if (!(error instanceof Refused) || corrections > MOST_CORRECTIONS) throw error;
  if (error.status === 404) return create(file, signal);
  if (error.status === 409) return askState(file, signal);
  throw error;
}

/**
 * @param {LocalFile} file
 * @param {AbortSignal} signal
 */
async function create(file, signal) {
  const { headers } = await call("POST", "uploads", {
    signal,
    headers: {
      "Upload-Length": String(file.bytes), "Upload-Complete": "?0", "Idempotency-Key": file.id,
      "Content-Type": file.type || "application/octet-stream", "X-Name": encodeURIComponent(file.name),
    },
  });
  return readState(headers);
}

/**
 * @param {LocalFile} file
 * @param {AbortSignal} signal
 */
async function askState(file, signal) {
  try {
    return readState((await call("HEAD", `uploads/${file.id}`, { signal })).headers);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return create(file, signal);
    throw error;
  }
}

/**
 * @param {LocalFile} file
 * @param {number} offset
 * @param {number} size
 * @param {AbortSignal} signal
 */
async function append(file, offset, size, signal) {
  const end = Math.min(file.bytes, offset + size);
  const response = await call("PATCH", `uploads/${file.id}`, {
    signal: either(signal, AbortSignal.timeout(PART_TIME)),
    body: file.blob.slice(offset, end),
    headers: {
      "Content-Type": "application/partial-upload", "Upload-Offset": String(offset),
      "Upload-Complete": end === file.bytes ? "?1" : "?0",
    },
  });
  return { offset: Number(response.headers.get("Upload-Offset") ?? end), complete: end === file.bytes };
}

/** @param {Headers} headers */
function readState(headers) {
  return { offset: Number(headers.get("Upload-Offset") ?? 0), complete: headers.get("Upload-Complete") === "?1" };
}
