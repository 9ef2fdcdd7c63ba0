// How elements are made. What the server says enters the page only here, as text nodes and attribute values: no HTML
// is ever parsed, so a title that holds markup is shown, not obeyed.

const SVG = "http://www.w3.org/2000/svg";

/** Finds an element of index.html by its id. */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Makes an element. A function among the attributes listens to the event of that name; `null`, `undefined` and `false`
 * leave an attribute or a child out.
 */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** One of the icons at the end of index.html. Icons only decorate: the name of a control is its text or label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows only an icon. */
export function iconButton(name, label, onClick, attributes) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, click: onClick, ...attributes }, icon(name));
}

/** Asks before something that cannot be undone; Esc and the backdrop mean no. */
export async function confirmed(title, text, yes) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "yes";
}
