// @ts-check
// Swiping with one finger: to the left for the next slide, to the right for the previous one.

// A shorter way (pixels) is a tap, and a steeper one scrolls.
const LEAST = 48;
const STEEPEST = 0.6;

/**
 * @param {HTMLElement} stage
 * @param {(by: 1 | -1) => void} step
 */
export function listenForSwipes(stage, step) {
  /** @type {{ id: number, x: number, y: number } | null} */
  let began = null;
  let fingers = 0;
  const end = () => { fingers = Math.max(0, fingers - 1); began = null; };
  stage.addEventListener("pointerdown", ({ pointerType, pointerId, clientX, clientY, target }) => {
    if (pointerType !== "touch") return;
    fingers += 1;
    // Two fingers zoom, and a player has its own way to seek.
    const player = target instanceof Element && target.closest("video, audio, [role=slider]");
    began = fingers === 1 && !player ? { id: pointerId, x: clientX, y: clientY } : null;
  });
  stage.addEventListener("pointerup", ({ pointerType, pointerId, clientX, clientY }) => {
    if (pointerType !== "touch") return;
    const from = began?.id === pointerId ? began : null;
    end();
    if (!from) return;
    const [right, down] = [clientX - from.x, clientY - from.y];
    if (Math.abs(right) > LEAST && Math.abs(down) < Math.abs(right) * STEEPEST) step(right < 0 ? 1 : -1);
  });
  stage.addEventListener("pointercancel", end);
}
