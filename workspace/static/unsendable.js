// @ts-check
// Pasted and dropped files: agents send texts only. Without an answer, a paste would do nothing, and a dropped file would
// take the place of the page.

import { say } from "./words.js";

/** @import { ShowError } from "./types.d.ts" */

/**
 * @param {HTMLTextAreaElement} box
 * @param {ShowError} showError
 */
export function refuseFiles(box, showError) {
  /**
   * @param {Event} event
   * @param {DataTransfer | null} data
   */
  const refuse = (event, data) => {
    if (!isOnlyFiles(data)) return;
    event.preventDefault();
    showError(say("reply.no_files"));
    box.addEventListener("input", () => showError(null), { once: true });
  };
  box.addEventListener("paste", (event) => refuse(event, event.clipboardData));
  window.addEventListener("drop", (event) => refuse(event, event.dataTransfer));
  // A page gets what is dropped only if it says so.
  window.addEventListener("dragover", (event) => { if (isOnlyFiles(event.dataTransfer)) event.preventDefault(); });
}

/**
 * Office programs copy a text as a picture, too.
 * @param {DataTransfer | null} data
 */
function isOnlyFiles(data) {
  return data?.types.includes("Files") && !data.types.includes("text/plain");
}
