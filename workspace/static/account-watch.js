// @ts-check
// Notices that the account has signed out, or another one has signed in, on another page of this browser, so that nothing
// of this account stays visible.

const KEY = JSON.stringify(["airlock account", location.pathname.slice(0, location.pathname.lastIndexOf("/") + 1)]);

/** @param {string} agent */
export function reloadForAnotherAccount(agent) {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY && event.newValue !== null && event.newValue !== agent) location.reload();
  });
  keep(agent);
}

export function announceSignOut() {
  keep("");
}

/** @param {string} agent */
function keep(agent) {
  try {
    localStorage.setItem(KEY, agent);
  } catch {
    // Without storage, this page keeps no drafts for others to see, either.
  }
}
