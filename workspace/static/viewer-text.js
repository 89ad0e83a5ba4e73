// @ts-check
// The text of a document, beside its pages or alone. It is untrusted, and is always inserted as text.

import { errorMessage, getText } from "./api-client.js";
import { byId } from "./element.js";

/** @import { VisibleAttachment } from "./types.d.ts" */

const UNPROVED = "Not proved to be what is seen: the file also contains text that is hidden, or too small to be read.";
const PLAIN = "As the file contains it. Compare it with the pages before you rely on it.";
const ABRIDGED = "Not proved to be what is seen: hidden parts of the file were left out.";
const GUESSED = "The character set was guessed, so some letters may be wrong.";
const INCOMPLETE = "Incomplete: the file contains more text.";
const NOTHING = "No text was found in the file.";

const panel = byId("viewer-text");
const note = byId("viewer-text-note");
const body = byId("viewer-text-body");
const toggle = byId("viewer-text-toggle");

/** @type {VisibleAttachment | null} */
let attachment = null;
let alone = false;
// Kept, so that the next document shows its text, too.
let wanted = false;

/**
 * Offer the text of a document; null offers none. `only` shows it at once, because there is nothing else.
 * @param {VisibleAttachment | null} of
 * @param {boolean} only
 */
export function offerText(of, only) {
  attachment = of;
  alone = only;
  toggle.hidden = of === null || only;
  update();
}

export function forgetText() {
  offerText(null, false);
}

function update() {
  const open = attachment !== null && (alone || wanted);
  toggle.setAttribute("aria-expanded", String(open));
  panel.hidden = !open;
  body.textContent = "";
  note.textContent = "";
  if (!open || attachment === null) return;
  if (alone) panel.focus();
  const of = attachment;
  load(of).catch((error) => { if (of === attachment) note.textContent = errorMessage(error); });
}

/** @param {VisibleAttachment} of */
async function load(of) {
  note.textContent = "Loading the text…";
  const text = await getText(`attachments/${of.id}/text`);
  if (of !== attachment || panel.hidden) return;
  body.textContent = text;
  note.textContent = (text.trim() ? remarks(of) : [NOTHING]).join(" ");
  panel.scrollTop = 0;
}

/** @param {VisibleAttachment} of */
function remarks(of) {
  return [difference(of), of.charset_guessed && GUESSED, alone && !of.complete && INCOMPLETE].filter(Boolean);
}

/** @param {VisibleAttachment} of */
function difference({ text_differs: differs }) {
  if (alone) return differs && ABRIDGED;
  return differs ? UNPROVED : PLAIN;
}

toggle.addEventListener("click", () => {
  wanted = !wanted;
  update();
});
