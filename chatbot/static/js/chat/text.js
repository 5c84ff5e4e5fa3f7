// Words and small helpers. Every word comes from the page's own JSON, written by the template.
const holder = document.getElementById("strings");
const strings = holder ? JSON.parse(holder.textContent) : {};

export function has(key) {
  return Object.hasOwn(strings, key);
}

/** The sentence of that name, with {slots} filled. */
export function t(key, slots = {}) {
  return (strings[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => String(slots[name] ?? whole));
}

/** An element: h("button", {class, type, on: {click}, data: {..}}, ...children). Text is always text, never HTML. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  return h("span", { class: `icon icon-${name}`, "aria-hidden": "true" });
}

export function button(words, { name = null, kind = "", ...attributes } = {}) {
  return h("button", { type: "button", class: `btn ${kind}`, ...attributes }, name && icon(name), h("span", {}, words));
}

/** Letters and digits only, folded: how phrases are compared. */
export function fold(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  return ` ${plain.replace(/['’ʼ`]/g, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
}
