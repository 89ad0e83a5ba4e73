// @ts-check
// Icons, drawn as strokes on a 24 by 24 grid.

const SHAPES = {
  back: ["M15 5l-7 7 7 7"],
  next: ["M9 5l7 7-7 7"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  wait: ["M12 3a9 9 0 1 0 9 9"],
  refused: ["M12 3l7 3v5c0 4.6-3 8-7 10-4-2-7-5.4-7-10V6z", "M9.5 9.5l5 5", "M14.5 9.5l-5 5"],
  broken: ["M12 4l9 16H3z", "M12 10v4.5", "M12 17.4v.1"],
  hidden: ["M4 4l16 16", "M9.9 5.8A9.6 9.6 0 0 1 12 5.5c5 0 8.300 4 9.500 6.500-.5 1.100-1.500 2.600-2.900 3.900", "M6.300 7.600C4.400 8.900 3.100 10.700 2.500 12 3.700 14.500 7 18.500 12 18.500c1.500 0 2.900-.4 4.100-.9"],
  place: ["M12 21c4.500-4.800 7-8.300 7-11.200A7 7 0 0 0 5 9.800C5 12.700 7.500 16.200 12 21z", "M12 12a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400z"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.500 20c.8-3.700 3.800-5.500 7.500-5.500s6.700 1.800 7.500 5.500"],
  send: ["M5 12h13", "M12.500 5.500L19 12l-6.500 6.500"],
  quote: ["M10 6l-6 6 6 6", "M4.500 12H14a6 6 0 0 1 6 6"],
  turn: ["M20 11a8 8 0 1 0-2.300 6.300", "M20.500 4.500V11H14"],
  files: ["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4"],
  play: ["M8 5.500v13l10.500-6.500z"],
  sound: ["M5 10v4", "M9 7v10", "M13 4v16", "M17 8v8", "M21 11v2"],
  larger: ["M12 6v12", "M6 12h12"],
  smaller: ["M6 12h12"],
  download: ["M12 4v11", "M7 10.500l5 5 5-5", "M5 20h14"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  tick: ["M5 12.500l4.500 4.500L19 7.500"],
  ticks: ["M2.500 12.500L7 17l9-9.500", "M11.500 16l1 1 9-9.500"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7.500V12l3 2"],
  file: ["M7 3h7l4 4v14H7z", "M14 3v4h4"],
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {IconName} name */
export function icon(name, size = 22) {
  const svg = drawShape("svg", {
    viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  });
  svg.append(...SHAPES[name].map((d) => drawShape("path", { d })));
  return svg;
}

export function playIcon() {
  return solidIcon("M7 4.500v15l12.500-7.500z");
}

export function pauseIcon() {
  return solidIcon("M6.500 5h4v14h-4z M13.500 5h4v14h-4z");
}

/** @param {string} d */
function solidIcon(d) {
  const svg = drawShape("svg", { viewBox: "0 0 24 24", width: 24, height: 24, fill: "currentColor", "aria-hidden": "true" });
  svg.append(drawShape("path", { d }));
  return svg;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 */
export function drawShape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
