// @ts-check
// The account menu: the signed-in name, links to the other pages the account may see, and sign-out.

import { announceSignOut } from "./account-watch.js";
import { postJson } from "./api-client.js";
import { byId, element } from "./element.js";
import { showError } from "./error-bar.js";
import { language, languages, say } from "./words.js";

/** @import { Me, Permission } from "./types.d.ts" */

/** @type {[Permission, string, string][]} */
const PAGES = [
  ["talk", "./", "nav.conversations"],
  ["talk", "media", "nav.files"],
  ["oversee", "audit", "nav.audit"],
  ["operate", "operations", "nav.operations"],
];

/**
 * @param {HTMLElement} node
 * @param {Me} me
 * @param {string} here
 */
export function fillAccountMenu(node, me, here) {
  byId("brand").textContent = me.name;
  const links = PAGES.filter(([permission, href]) => me.may.includes(permission) && href !== here)
    .map(([, href, key]) => element("a", { class: "account-link", href }, say(key)));
  const signOutButton = element("button", { class: "account-link", type: "button", onclick: signOut }, say("sign_out"));
  node.replaceChildren(element("bdi", { class: "account-name", title: say("account.name") }, me.agent), ...links, languagePicker(), signOutButton);
}

// The names of the languages are the same in all of them.
function languagePicker() {
  const options = Object.entries(languages).map(([code, name]) => element("option", { value: code, lang: code, selected: code === language }, name));
  const select = element("select", { class: "language", "aria-label": say("language") }, ...options);
  select.addEventListener("change", () => {
    postJson("api/language", { language: select.value }).then(() => location.reload(), showError);
  });
  return select;
}

async function signOut() {
  // If signing out failed, the next page shows that the session is still there.
  await postJson("sign-out", {}).then(announceSignOut, () => null);
  location.assign("sign-in");
}
