// @ts-check
// Elements and icons. Strings are always inserted as text, never as markup.

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Value */

/**
 * Values that are null, undefined or false are left out. Names that begin with `on` are listeners.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, Value>} attributes
 * @param {(Node | string | null | undefined | false)[]} children
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no element "${id}".`);
  return /** @type {Kind} */ (node);
}

const SHAPES = {
  send: "M5 12h13M12.500 5.500L19 12l-6.500 6.500",
  camera: "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zM12 16.500a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400z",
  video: "M3.500 7h11v10h-11zM14.500 11l6-3.500v9l-6-3.500",
  library: "M4 5h16v14H4zM4 16l4.500-4.500 4 4 3-3L20 17M15.500 9.500v.1",
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  waiting: "M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17zM12 7.500V12l3 2",
  sent: "M5 12.500l4.500 4.500L19 7.500",
  received: "M2.500 12.500L7 17l9-9.500M11.500 16l1 1 9-9.500",
  failed: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM12 8v5M12 16v.1",
  hidden: "M4 4h16v16H4zM4 4l16 16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  play: "M8 5v14l11-7z",
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {IconName} name */
export function icon(name, size = 22) {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const attributes = { class: `icon icon-${name}`, viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
  path.setAttribute("d", SHAPES[name]);
  shape.append(path);
  return shape;
}

/** The dialogs' styles are loaded after the first view. */
export function addStyles() {
  const href = "/static/sheets.css";
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(element("link", { rel: "stylesheet", href }));
}

/** Closes what is open: the chat itself was closed, or its consumer signed out. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}
