// @ts-check
// Notices that the session has ended, or that another account has signed in, on another page of this browser. Nothing of an
// account stays visible afterwards.

import { endSession, signInAddress } from "./api-client.js";
import { attempt } from "./attempt.js";
import { element } from "./element.js";
import { say } from "./words.js";

const KEY = JSON.stringify(["airlock account", location.pathname.slice(0, location.pathname.lastIndexOf("/") + 1)]);

/** @param {string} agent */
export function reloadForAnotherAccount(agent) {
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key !== KEY || newValue === null || newValue === agent) return;
    if (newValue) location.reload();
    else showSignedOut();
  });
  keep(agent);
}

export function announceSignOut() {
  keep("");
}

// The page does not go to the form by itself, because several pages would disturb each other there. What was on it stays in
// reach of the scripts, but is shown to nobody.
export function showSignedOut() {
  if (document.querySelector(".signed-out")) return;
  endSession();
  for (const media of document.querySelectorAll("audio, video")) if (media instanceof HTMLMediaElement) media.pause();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const heading = element("h1", { tabindex: "-1" }, say("signed_out"));
  const before = element("div", { hidden: true }, ...document.body.childNodes);
  document.body.replaceChildren(before, element("main", { class: "signed-out" }, heading,
    element("a", { class: "button button-main", href: signInAddress() }, say("sign_in"))));
  heading.focus();
}

/** @param {string} agent */
function keep(agent) {
  attempt(() => localStorage.setItem(KEY, agent));
}
