// @ts-check
// What this device keeps: the queue, the last files that were sent, and the parts of a recording that runs. Where the browser keeps nothing for a frame,
// the same lives in memory until the page closes.

/** @import { LocalFile, Queued } from "./types.d.ts" */

const TABLES = /** @type {const} */ (["queue", "files", "facts", "parts"]);

/** @typedef {typeof TABLES[number]} Table */

/** @type {IDBDatabase | null} */
let database = null;
/** @type {Record<Table, Map<string, any>>} */
const memory = { queue: new Map(), files: new Map(), facts: new Map(), parts: new Map() };

/** @param {string} site */
export async function openStore(site) {
  try {
    const opening = indexedDB.open(`airlock-${site}`, 2);
    opening.addEventListener("upgradeneeded", () => {
      const { result } = opening;
      for (const name of TABLES) if (!result.objectStoreNames.contains(name)) result.createObjectStore(name);
    });
    database = await settled(opening);
    // Another tab deletes the database when its consumer signs out.
    database.addEventListener("versionchange", () => forgetDatabase());
  } catch {
    database = null;
  }
}

function forgetDatabase() {
  database?.close();
  database = null;
}

/** Whether what is kept survives the page. */
export function isKept() {
  return database !== null;
}

/** Whether messages that wait would be lost with the page. */
export function isLosing() {
  return !database || memory.queue.size > 0;
}

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
    request.addEventListener("blocked", () => reject(new Error("blocked")));
  });
}

/**
 * Writes are finished once they are on disk: a tab may be closed right after.
 * @param {Table} table
 * @param {(records: IDBObjectStore) => void} change
 */
function write(table, change) {
  return new Promise((resolve, reject) => {
    if (!database) throw new Error("This page has no database.");
    const transaction = database.transaction(table, "readwrite", { durability: "strict" });
    transaction.addEventListener("complete", resolve);
    transaction.addEventListener("abort", () => reject(transaction.error));
    change(transaction.objectStore(table));
  });
}

/**
 * @param {Table} table
 * @param {string} key
 * @param {any} value
 */
export async function put(table, key, value) {
  try {
    await write(table, (records) => records.put(value, key));
  } catch {
    await putBytes(table, key, value);
  }
}

/**
 * Some browsers keep bytes but no blobs. A full disk keeps nothing: then the value lives in memory.
 * @param {Table} table
 * @param {string} key
 * @param {any} value
 */
async function putBytes(table, key, value) {
  try {
    const { withBytes } = await import("./bytes.js");
    const bare = await withBytes(value);
    await write(table, (records) => records.put(bare, key));
  } catch {
    memory[table].set(key, value);
  }
}

/**
 * @param {Table} table
 * @param {string} key
 */
export async function remove(table, key) {
  memory[table].delete(key);
  await write(table, (records) => records.delete(key)).catch(() => undefined);
}

/**
 * @param {Table} table
 * @returns {Promise<any[]>}
 */
export async function all(table) {
  const kept = database ? await settled(database.transaction(table).objectStore(table).getAll()).catch(() => []) : [];
  const bare = kept.some((value) => (value.blob ?? value.files?.[0]?.blob) instanceof ArrayBuffer);
  return [...(bare ? kept.map((await import("./bytes.js")).withBlobs) : kept), ...memory[table].values()];
}

/**
 * @param {Table} table
 * @param {string} key
 */
export async function find(table, key) {
  if (memory[table].has(key) || !database) return memory[table].get(key);
  return await settled(database.transaction(table).objectStore(table).get(key)).catch(() => undefined);
}

/** @param {Table} table */
export async function clear(table) {
  memory[table].clear();
  await write(table, (records) => records.clear()).catch(() => undefined);
}

/**
 * Nothing of a consumer who signed out stays on the device.
 * @param {string} site
 */
export async function forgetEverything(site) {
  await Promise.all(TABLES.map(clear));
  if (!database) return;
  forgetDatabase();
  await settled(indexedDB.deleteDatabase(`airlock-${site}`)).catch(() => undefined);
}

/**
 * Keep a sent file to show it on this device. The oldest make room.
 * @param {string} consumer
 * @param {LocalFile} file
 * @param {number} most
 */
export async function keepFile(consumer, file, most) {
  await put("files", file.id, { ...file, consumer, kept: Date.now() });
  const files = (await all("files")).toSorted((one, other) => other.kept - one.kept);
  await Promise.all(files.slice(most).map(({ id }) => remove("files", id)));
}

/**
 * @param {string} consumer
 * @returns {Promise<Map<string, LocalFile>>}
 */
export async function keptFiles(consumer) {
  const files = (await all("files")).filter((file) => file.consumer === consumer);
  return new Map(files.map((file) => [file.id, file]));
}

/**
 * @param {string} consumer
 * @returns {Promise<Queued[]>}
 */
export async function queuedMessages(consumer) {
  const records = (await all("queue")).filter((record) => record.consumer === consumer);
  return records.toSorted((one, other) => one.at - other.at);
}
