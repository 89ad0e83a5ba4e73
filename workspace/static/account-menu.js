// @ts-check
// The account menu: the signed-in name, links to the other pages the account may see, and sign-out.

import { announceSignOut } from "./account-watch.js";
import { postJson } from "./api-client.js";
import { byId, element } from "./element.js";

/** @import { Me, Permission } from "./types.d.ts" */

/** @type {[Permission, string, string][]} */
const PAGES = [
  ["talk", "./", "Conversations"],
  ["talk", "media", "Files"],
  ["oversee", "audit", "Audit"],
  ["operate", "operations", "Operations"],
];

/**
 * @param {HTMLElement} node
 * @param {Me} me
 * @param {string} here
 */
export function fillAccountMenu(node, me, here) {
  byId("brand").textContent = me.name;
  const links = PAGES.filter(([permission, href]) => me.may.includes(permission) && href !== here)
    .map(([, href, text]) => element("a", { class: "account-link", href }, text));
  const signOutButton = element("button", { class: "account-link", type: "button", onclick: signOut }, "Sign out");
  node.replaceChildren(element("bdi", { class: "account-name", title: "You are signed in with this name" }, me.agent), ...links, signOutButton);
}

async function signOut() {
  // If signing out failed, the next page shows that the session is still there.
  await postJson("sign-out", {}).then(announceSignOut, () => null);
  location.assign("sign-in");
}
