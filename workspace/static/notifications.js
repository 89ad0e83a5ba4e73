// @ts-check
// Notifications of new messages, for agents who ask for them. They have names, but none of the customers' words.

import { attempt } from "./attempt.js";
import { concernsMe } from "./entry.js";
import { byId } from "./element.js";
import { language, say, sayCount } from "./words.js";

/** @import { Conversation } from "./types.d.ts" */

export class Notifications {
  #on = false;

  /**
   * Each account of a browser decides for itself.
   * @param {string} agent
   * @param {(id: string) => void} open
   */
  constructor(agent, open) {
    this.key = JSON.stringify(["airlock notifications", agent]);
    this.open = open;
    // Browsers offer them on secure pages only.
    if (!("Notification" in window)) return;
    this.#on = attempt(() => localStorage.getItem(this.key)) === "on" && Notification.permission === "granted";
    byId("notify").hidden = false;
    byId("notify").addEventListener("click", () => { this.#toggle().catch(() => null); });
    this.#show();
  }

  /**
   * Notify of messages that the agent does not see at the moment.
   * @param {Conversation[]} changed
   * @param {(id: string) => Conversation | undefined} known what was known before
   */
  notify(changed, known) {
    if (!this.#on || document.hasFocus()) return;
    for (const one of changed) {
      if (concernsMe(one) && one.merged_into === null && one.unread > (known(one.id)?.unread ?? 0)) this.#notify(one);
    }
  }

  /** @param {Conversation} conversation */
  #notify({ id, name, unread }) {
    const body = sayCount("notify.unread", unread);
    // A later one takes the place of the earlier one.
    const notification = new Notification(name, { body, lang: language, tag: id, icon: "static/mark.svg" });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
      this.open(id);
    });
  }

  async #toggle() {
    const on = !this.#on && await Notification.requestPermission() === "granted";
    if (!(on || this.#on)) byId("notify").textContent = say("notify.refused");
    this.#on = on;
    attempt(() => localStorage.setItem(this.key, on ? "on" : "off"));
    if (on || Notification.permission === "granted") this.#show();
  }

  #show() {
    byId("notify").textContent = say(this.#on ? "notify.on" : "notify");
    byId("notify").setAttribute("aria-pressed", String(this.#on));
  }
}
