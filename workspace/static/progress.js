// @ts-check
// What is being done for a file that is not ready yet, asked again while somebody can see it.

import { ask } from "./api-client.js";

const EVERY = 1500;

/** @type {Map<Element, string>} */
const watched = new Map();

/** @type {number | null} */
let turn = null;

const inSight = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    const id = target.getAttribute("data-progress");
    if (isIntersecting && id) watched.set(target, id);
    else watched.delete(target);
  }
  if (watched.size && turn === null) turn = setTimeout(look, 0);
});

/**
 * @param {string} id
 * @param {HTMLElement} node
 */
export function followProgress(id, node) {
  node.dataset.progress = id;
  inSight.observe(node);
}

async function look() {
  if (!document.hidden) await Promise.allSettled([...watched].map(([node, id]) => tell(node, id)));
  turn = watched.size ? setTimeout(look, EVERY) : null;
}

/**
 * @param {Element} node
 * @param {string} id
 */
async function tell(node, id) {
  if (!node.isConnected) {
    inSight.unobserve(node);
    watched.delete(node);
    return;
  }
  const { words } = await ask(`attachments/${id}/progress`);
  // Nothing to say: it has ended, and the line itself is about to change.
  if (words && words !== node.textContent) node.textContent = words;
}
