// @ts-check
// A puzzle is solved in a worker, so that the page stays usable.

/**
 * @param {string} challenge
 * @param {number} bits
 * @returns {Promise<string>}
 */
export function solve(challenge, bits) {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/static/work.js", { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      worker.terminate();
      resolve(data);
    });
    worker.addEventListener("error", () => reject(new Error("The puzzle could not be solved.")));
    worker.postMessage({ challenge, bits });
  });
}
