// @ts-check
// iOS lays its keyboard over the page, where other systems make the page smaller: the chat ends above it.

const view = window.visualViewport;

function fit() {
  if (!view || view.scale > 1.01) return;
  const covered = window.innerHeight - view.height > 1;
  if (covered) document.documentElement.style.setProperty("--height", `${view.height}px`);
  else document.documentElement.style.removeProperty("--height");
  // The system scrolls the page to show the field; the chat is where it was.
  if (covered) window.scrollTo(0, 0);
}

view?.addEventListener("resize", fit);
