// Makes elements, and changes what is shown into what should be shown: elements that stay keep their focus,
// their selection and their place on the screen.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "polyline", "polygon", "rect", "line", "path"]);

/** An element: `h("button", { "data-do": "show" }, "Show")`. What is null or false is left out. */
export function h(tag, attributes, ...children) {
  const element = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Change the children of an element into these. Those with a data-key are recognised wherever they go. */
export function show(parent, ...children) {
  const focused = document.activeElement;
  const wanted = h("div", {}, ...children);
  become(parent, [...wanted.childNodes]);
  // Moving an element takes its focus away.
  if (focused !== document.activeElement && focused.isConnected && parent.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

function become(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.children) {
    if (child.dataset.key) keyed.set(child.dataset.key, child);
  }
  let place = parent.firstChild;
  for (const next of wanted) {
    const key = next.dataset?.key;
    const known = key ? keyed.get(key) : place;
    if (known && isAlike(known, next)) {
      if (known === place) place = place.nextSibling;
      else parent.insertBefore(known, place);
      update(known, next);
    } else {
      parent.insertBefore(next, place);
    }
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

function isAlike(known, next) {
  return known.nodeName === next.nodeName && (known.dataset?.key ?? "") === (next.dataset?.key ?? "");
}

function update(known, next) {
  if (known.nodeType === Node.TEXT_NODE) {
    if (known.data !== next.data) known.data = next.data;
    return;
  }
  for (const { name } of [...known.attributes]) {
    // What a person opened stays open.
    if (!next.hasAttribute(name) && !(name === "open" && known.nodeName === "DETAILS")) known.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (known.getAttribute(name) !== value) known.setAttribute(name, value);
  }
  become(known, [...next.childNodes]);
}
