// What is being done for a file that is not ready yet, asked again while somebody can see it.

import { ask } from "./server.js";

const EVERY = 1_500;

const watched = new Map();
let turn = null;

const inSight = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (isIntersecting) watched.set(target, target.dataset.progress);
    else watched.delete(target);
  }
  if (watched.size) turn ??= setTimeout(look, 0);
});

export function followProgress(id, node) {
  node.dataset.progress = id;
  inSight.observe(node);
}

async function look() {
  if (!document.hidden) await Promise.allSettled([...watched].map(([node, id]) => tell(node, id)));
  turn = watched.size ? setTimeout(look, EVERY) : null;
}

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
