// How numbers, moments and states are written.

import { h } from "./dom.js";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const NONE = "–";

export const count = (number) => (isNumber(number) ? WHOLE.format(number) : NONE);

/** So many a second: small rates keep a digit. */
export const rate = (number) => (isNumber(number) ? (number < 100 ? FINE : WHOLE).format(number) : NONE);

export const share = (part) => (isNumber(part) ? `${FINE.format(100 * part)} %` : NONE);

export function seconds(number) {
  if (!isNumber(number)) return NONE;
  if (number === 0) return "0 s";
  if (number < 0.001) return `${FINE.format(number * 1e6)} µs`;
  if (number < 1) return `${(number < 0.1 ? FINE : WHOLE).format(number * 1e3)} ms`;
  if (number < 100) return `${FINE.format(number)} s`;
  if (number < 5400) return `${WHOLE.format(number / 60)} min`;
  return number < 129600 ? `${WHOLE.format(number / 3600)} h` : `${WHOLE.format(number / 86400)} d`;
}

export function bytes(number) {
  if (!isNumber(number)) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = number < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(number) / 3));
  return `${(unit ? FINE : WHOLE).format(number / 1000 ** unit)} ${units[unit]}`;
}

export const ago = (moment, now) => (moment ? `${seconds(Math.max(0, (now - Date.parse(moment)) / 1000))} ago` : NONE);

export const clock = (moment) => new Date(moment).toLocaleTimeString("en-GB");

/** A state in words with a mark: never by colour alone. */
export function mark(kind, text) {
  const sign = { good: "●", bad: "▲", warn: "◆", none: "○" }[kind];
  return h("span", { class: `mark ${kind}` }, h("span", { "aria-hidden": "true" }, sign), ` ${text}`);
}

/** How much of something is used, as a number and a bar. */
export function gauge(part, whole, text) {
  const width = whole > 0 ? Math.min(100, (100 * part) / whole) : 0;
  const bar = h("rect", { class: width > 85 ? "full" : "", width: width.toFixed(1), height: 6, rx: 3 });
  const track = h("rect", { class: "track", width: 100, height: 6, rx: 3 });
  const drawing = h("svg", { class: "gauge", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
  drawing.append(track, bar);
  return h("span", { class: "gauged" }, h("span", {}, text), drawing);
}

/** The last minutes of a number, as a line. */
export function line(points) {
  const known = points.map((point) => (isNumber(point) ? point : 0));
  const most = Math.max(...known, 1e-9);
  const step = 120 / Math.max(1, points.length - 1);
  const places = known.map((point, place) => `${(place * step).toFixed(1)},${(29 - (27 * point) / most).toFixed(1)}`);
  const drawing = h("svg", { class: "line", viewBox: "0 0 120 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (places.length > 1) {
    drawing.append(h("polygon", { points: `0,30 ${places.join(" ")} 120,30` }), h("polyline", { points: places.join(" ") }));
  }
  return drawing;
}

export function table(name, heads, rows, empty) {
  if (!rows.length) return h("p", { class: "quiet" }, empty);
  const head = heads.map((text) => h("th", { scope: "col", class: text.startsWith("#") ? "number" : null }, text.replace("#", "")));
  const cells = (row) =>
    row.cells.map((cell, column) =>
      column ? h("td", { class: heads[column].startsWith("#") ? "number" : null }, cell) : h("th", { scope: "row" }, cell),
    );
  const body = rows.map((row) => h("tr", { "data-key": row.key }, cells(row)));
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": name },
    h("table", {}, h("caption", { class: "unseen" }, name), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}

/** Facts by name. */
export const facts = (pairs) => h("dl", {}, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

function isNumber(number) {
  return typeof number === "number" && Number.isFinite(number);
}
