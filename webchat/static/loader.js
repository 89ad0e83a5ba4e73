// @ts-check
// The chat's button on a brand's page. The first press opens the chat in a frame of the chat's own origin.

(() => {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) return;
  const { origin } = new URL(script.src);
  const { site = "", side = "end", language = document.documentElement.lang || navigator.language } = script.dataset;
  const address = `${origin}/chat?site=${encodeURIComponent(site)}&language=${encodeURIComponent(language)}`;

  const english = ["Open chat", "Close chat", "This page cannot show the chat.", "Open it in a window"];
  const words = /** @type {Record<string, string[]>} */ ({
    de: ["Chat öffnen", "Chat schließen", "Diese Seite kann den Chat nicht anzeigen.", "In einem Fenster öffnen"],
    ar: ["فتح المحادثة", "إغلاق المحادثة", "لا يمكن لهذه الصفحة عرض المحادثة.", "فتحها في نافذة"],
  })[language.slice(0, 2)] ?? english;

  // A constructed sheet in a shadow root: no policy of the page blocks it, and the page's own styles stay outside.
  const styles = new CSSStyleSheet();
  styles.replaceSync(`
:host{all:initial;--c:var(--airlock-chat-color,#1b6456);position:fixed;z-index:2147483000;inset-block-end:20px;inset-inline-${side}:20px}
[hidden]{display:none!important}
button{position:relative;z-index:2;width:60px;height:60px;padding:14px;border:0;border-radius:50%;background:var(--c);color:var(--airlock-chat-ink,#fff);box-shadow:0 4px 20px #0004;cursor:pointer}
i{display:block;height:32px;background:currentColor;clip-path:path("M16 3C9 3 3 8 3 15c0 3 1 5 3 7L5 29l7-3c1 .5 3 .6 4 .6 7 0 13-5 13-12S23 3 16 3z")}
button:hover{filter:brightness(1.1)}
button:focus-visible{outline:3px solid var(--c);outline-offset:3px}
b{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-width:24px;border-radius:12px;background:#b3261e;color:#fff;font:600 13px/24px system-ui}
div{position:fixed;inset-block-end:96px;inset-inline-${side}:20px;width:400px;height:min(700px,100vh - 116px);border-radius:20px;overflow:hidden;background:#fff;color:#222;box-shadow:0 8px 48px #0005;font:16px/1.5 system-ui}
iframe{display:block;width:100%;height:100%;border:0}
p{margin:32px 24px}
@media(max-width:480px),(max-height:480px){div{inset:0;width:auto;height:100dvh;border-radius:0}.ready:not([hidden])+button{visibility:hidden}}
@media(forced-colors:active){button,div{border:1px solid}i{forced-color-adjust:none;background:ButtonText}}`);

  const host = document.createElement("airlock-chat");
  const button = document.createElement("button");
  const badge = document.createElement("b");
  const panel = document.createElement("div");
  const note = document.createElement("p");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [styles];
  host.lang = language;
  panel.hidden = true;
  button.append(document.createElement("i"), badge);
  root.append(panel, button);

  /** @type {HTMLIFrameElement | undefined} */
  let frame;
  let answered = false;
  let identity = {};

  /** @param {number} unread */
  function count(unread) {
    badge.textContent = String(unread);
    badge.hidden = !unread;
    button.ariaExpanded = String(!panel.hidden);
    button.ariaLabel = (words[panel.hidden ? 0 : 1] ?? "") + (unread ? ` (${unread})` : "");
  }

  /** @param {string} type */
  function send(type, content = {}) {
    frame?.contentWindow?.postMessage({ airlock: type, shown: !panel.hidden, ...content }, origin);
  }

  // For frames that keep nothing themselves, if the site's settings allow it.
  const key = `airlock-chat-${site}`;

  /** @param {string | null} [ticket] kept, or with null forgotten */
  function kept(ticket) {
    // This browser may keep nothing for the page either.
    try {
      if (ticket === null) localStorage.removeItem(key);
      if (ticket) localStorage.setItem(key, ticket);
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function load() {
    frame = document.createElement("iframe");
    frame.title = "Chat";
    frame.allow = "camera; microphone";
    frame.src = address;
    // A blocked frame loads an error page, which never answers.
    frame.onload = () => send("hello", { kept: kept(), ...identity });
    panel.append(frame);
    setTimeout(() => {
      if (answered) return;
      const link = document.createElement("a");
      Object.assign(link, { href: address, target: "_blank", textContent: words[3] });
      note.role = "alert";
      note.append(`${words[2]} `, link);
      panel.prepend(note);
    }, 5000);
  }

  function show(shown = true) {
    panel.hidden = !shown;
    count(0);
    if (shown && !frame) load();
    else if (answered) send("shown");
    (shown ? frame : button)?.focus();
  }

  button.onclick = () => show(panel.hidden === true);
  addEventListener("message", ({ origin: from, source, data }) => {
    if (from !== origin || source !== frame?.contentWindow) return;
    if (data.airlock === "ready") {
      answered = true;
      // On a small screen the chat covers the page, and has a button of its own that closes it.
      panel.className = "ready";
      note.remove();
    }
    if (data.airlock === "keep") kept(data.ticket);
    if (data.airlock === "unread") count(data.count);
    if (data.airlock === "close") show(false);
  });

  const chat = {
    open: () => show(),
    close: () => show(false),
    /** @param {string} token */
    identify(token, { join = false } = {}) {
      identity = { token, join };
      if (answered) send("identify", identity);
    },
    reset() {
      identity = answered ? {} : { reset: true };
      kept(null);
      if (answered) send("reset");
    },
    /** @param {["open" | "close" | "identify" | "reset", string?, object?]} call */
    push: ([name, token = "", options = {}]) => chat[name](token, options),
  };
  // What the page asked for before this script arrived: `(window.airlockChat ??= []).push(["identify", token])`.
  const page = /** @type {{ airlockChat?: any }} */ (window);
  const asked = page.airlockChat ?? [];
  page.airlockChat = chat;
  count(0);
  (document.body ?? document.documentElement).append(host);
  asked.forEach?.(chat.push);
})();
