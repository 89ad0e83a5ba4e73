// @ts-check
// The text of a document, beside its pages or alone. It is untrusted, and is always inserted as text.

import { errorMessage, getText } from "./api-client.js";
import { byId } from "./element.js";
import { say, sayName } from "./words.js";

/** @import { VisibleAttachment } from "./types.d.ts" */

const panel = byId("viewer-text");
const note = byId("viewer-text-note");
const body = byId("viewer-text-body");
const toggle = byId("viewer-text-toggle");
const charsetLabel = byId("viewer-text-charset");
const charsets = byId("viewer-text-charsets");

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
  offerCharsets(of?.charsets ?? []);
  toggle.hidden = of === null || only;
  update();
}

/** @param {string[]} names */
function offerCharsets(names) {
  charsetLabel.hidden = names.length < 2;
  charsets.replaceChildren(...names.map((name) => new Option(sayName("charset", name), name)));
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
  if (alone && document.activeElement !== charsets) panel.focus();
  const of = attachment;
  load(of).catch((error) => { if (of === attachment) note.textContent = errorMessage(error); });
}

/** @param {VisibleAttachment} of */
async function load(of) {
  note.textContent = say("text.loading");
  const charset = charsets.value;
  // The first one is the guess, which is the text itself.
  const query = charset && charset !== of.charsets[0] ? `?charset=${charset}` : "";
  const text = await getText(`attachments/${of.id}/text${query}`);
  if (of !== attachment || panel.hidden || charset !== charsets.value) return;
  body.textContent = text;
  note.textContent = (text.trim() ? remarks(of) : [say("text.none")]).join(" ");
  panel.scrollTop = 0;
}

/** @param {VisibleAttachment} of */
function remarks(of) {
  return [difference(of), of.charset_guessed && say("text.guessed"), alone && !of.complete && say("text.incomplete")].filter(Boolean);
}

/** @param {VisibleAttachment} of */
function difference({ text_differs: differs }) {
  if (alone) return differs && say("text.abridged");
  return say(differs ? "text.unproved" : "text.plain");
}

charsets.addEventListener("change", update);

toggle.addEventListener("click", () => {
  wanted = !wanted;
  update();
});
