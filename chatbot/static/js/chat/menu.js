// A small sheet of buttons beside the thing it belongs to. Esc, a tap outside, or a choice closes it.
import { h, icon } from "./text.js";

let shown = null;

export function closeMenu({ refocus = false } = {}) {
  if (!shown) return;
  const { sheet, anchor } = shown;
  shown = null;
  sheet.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus) anchor.focus();
}

/** content: nodes, or {words, name, act} for a button. */
export function openMenu(anchor, label, content) {
  const again = shown?.anchor === anchor;
  closeMenu();
  if (again) return;
  const parts = content.filter(Boolean).map((part) => (part instanceof Node ? part : h("button", {
    type: "button",
    on: { click: () => { closeMenu({ refocus: !part.keepsFocus }); part.act(); } },
  }, icon(part.name), h("span", {}, part.words))));
  const sheet = h("div", { class: "menu", role: "group", "aria-label": label, tabindex: "-1" }, parts);
  document.body.append(sheet);
  place(sheet, anchor);
  anchor.setAttribute("aria-expanded", "true");
  shown = { sheet, anchor };
  sheet.querySelector("button, a")?.focus();
}

function place(sheet, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = sheet;
  const left = Math.max(12, Math.min(at.left, innerWidth - width - 12));
  const below = at.bottom + height + 8 < innerHeight;
  sheet.style.position = "fixed";
  sheet.style.left = `${left}px`;
  sheet.style.top = `${below ? at.bottom : Math.max(8, at.top - height)}px`;
}

document.addEventListener("pointerdown", (event) => {
  if (shown && !shown.sheet.contains(event.target) && !shown.anchor.contains(event.target)) closeMenu();
});
document.addEventListener("keydown", (event) => {
  if (!shown) return;
  if (event.key === "Escape") closeMenu({ refocus: true });
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...shown.sheet.querySelectorAll("button, a")];
  all.at((all.indexOf(document.activeElement) + step) % all.length)?.focus();
});
addEventListener("resize", () => closeMenu());
