// @ts-check
// Sanitized files where the browser keeps no cookie: a picture cannot carry the session's token, so the page asks for
// each link, or for the file itself if the server passes files through.

import { call } from "./api.js";

/** The gateway's links expire; a younger one is used again. */
const LIFETIME = 120_000;
const NAMES = ["thumbnail", "preview", "poster", "video"];

/**
 * @param {() => void} changed called when an address is known
 * @returns {(path: string) => string | null}
 */
export function carriedLinks(changed) {
  /** @type {Map<string, { address: string | null, at: number }>} */
  const known = new Map();

  /** @param {string} path */
  async function load(path) {
    known.set(path, { address: known.get(path)?.address ?? null, at: Date.now() });
    const response = await call("GET", path.slice("/v1/".length), { headers: { Accept: "application/json" } });
    const isLink = response.headers.get("Content-Type")?.startsWith("application/json");
    const address = isLink ? (await response.json()).url : URL.createObjectURL(await response.blob());
    known.set(path, { address, at: Date.now() });
    changed();
  }

  return (path) => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    // The viewer opens without waiting: what it shows is asked for together with the thumbnail.
    for (const one of known.has(path) ? [path] : NAMES.map((name) => `${folder}/${name}`)) {
      if (Date.now() - (known.get(one)?.at ?? 0) > LIFETIME) load(one).catch(() => undefined);
    }
    return known.get(path)?.address ?? null;
  };
}
