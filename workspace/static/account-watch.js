// @ts-check
// Notices that another account has signed in on another page of this browser, so that nothing of this one stays visible.

/** @param {string} agent */
export function reloadForAnotherAccount(agent) {
  const key = JSON.stringify(["airlock account", location.pathname]);
  window.addEventListener("storage", (event) => {
    if (event.key === key && event.newValue !== null && event.newValue !== agent) location.reload();
  });
  try {
    localStorage.setItem(key, agent);
  } catch {
    // Without storage, this page keeps no drafts for others to see, either.
  }
}
