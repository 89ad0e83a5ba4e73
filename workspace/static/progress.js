// @ts-check
// Progress of files that are not ready yet, polled while they are visible.

import { getJson } from "./api-client.js";

const POLL_INTERVAL = 1500;

/** @type {Map<Element, string>} */
const watched = new Map();

/** @type {number | null} */
let timer = null;

const visibility = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    const id = target.getAttribute("data-progress");
    if (isIntersecting && id) watched.set(target, id);
    else watched.delete(target);
  }
  if (watched.size && timer === null) timer = setTimeout(poll, 0);
});

/**
 * @param {string} id
 * @param {HTMLElement} node
 */
export function followProgress(id, node) {
  node.dataset.progress = id;
  visibility.observe(node);
}

async function poll() {
  if (!document.hidden) await Promise.allSettled([...watched].map(([node, id]) => showProgress(node, id)));
  timer = watched.size ? setTimeout(poll, POLL_INTERVAL) : null;
}

/**
 * @param {Element} node
 * @param {string} id
 */
async function showProgress(node, id) {
  if (!node.isConnected) {
    visibility.unobserve(node);
    watched.delete(node);
    return;
  }
  const { words: text } = await getJson(`attachments/${id}/progress`);
  // An empty text means that the file is no longer pending. The line itself is about to be updated.
  if (text && text !== node.textContent) node.textContent = text;
}
