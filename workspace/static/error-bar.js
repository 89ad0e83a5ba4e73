// @ts-check
// The line that says what went wrong. It stands where every view of a page shows it.

import { errorMessage } from "./api-client.js";
import { byId } from "./element.js";

let retryOffered = false;

/**
 * Show an error; null removes the line, unless it offers to try the start of the page again.
 * @param {unknown} error
 */
export function showError(error) {
  if (!error && retryOffered) return;
  byId("error").hidden = !error;
  byId("error-text").textContent = error ? errorMessage(error) : "";
}

/**
 * Load what a page cannot start without. A failure is shown with a button that tries again.
 * @template Loaded
 * @param {() => Promise<Loaded>} load
 * @returns {Promise<Loaded>}
 */
export async function loadWithRetry(load) {
  try {
    return await load();
  } catch (error) {
    await offerRetry(error);
    return loadWithRetry(load);
  }
}

/** @param {unknown} error */
async function offerRetry(error) {
  const button = byId("error-retry");
  retryOffered = true;
  showError(error);
  button.hidden = false;
  await new Promise((resolve) => button.addEventListener("click", resolve, { once: true }));
  retryOffered = false;
  button.hidden = true;
  showError(null);
}
