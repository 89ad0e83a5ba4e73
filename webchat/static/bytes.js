// @ts-check
// For browsers that keep bytes in their database, but no blobs.

/**
 * @param {any} value a file, or a message with files
 * @returns {Promise<any>}
 */
export async function withBytes(value) {
  if (value.blob) return { ...value, blob: await value.blob.arrayBuffer() };
  return value.files ? { ...value, files: await Promise.all(value.files.map(withBytes)) } : value;
}

/**
 * @param {any} value
 * @returns {any}
 */
export function withBlobs(value) {
  if (value.blob instanceof ArrayBuffer) return { ...value, blob: new Blob([value.blob], { type: value.type }) };
  return value.files ? { ...value, files: value.files.map(withBlobs) } : value;
}
