// @ts-check
// The error bar. It is outside of the parts of a page that may be hidden.

import { errorMessage } from "./api-client.js";
import { byId } from "./element.js";

let retryOffered = false;

/**
 * Show an error. null hides the bar, except while the bar offers to start the page again.
 * @param {unknown} error
 */
export function showError(error) {
  if (!error && retryOffered) return;
  byId("error").hidden = !error;
  byId("error-text").textContent = error ? errorMessage(error) : "";
}

/**
 * Load what a page needs at its start. A failure is shown with a button to try again.
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
