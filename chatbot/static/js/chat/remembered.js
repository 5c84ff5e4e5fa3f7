// The quiet slip that says what was just remembered. It stays until the next message; undoing answers in its place.
import { button, h, icon, t } from "./text.js";

export class Remembered {
  #log;
  #page;
  #rest;
  #node = null;

  /** page: the address of the memory page, none in a widget. rest(): takes the focus when its button is gone. */
  constructor({ log, page, rest }) {
    this.#log = log;
    this.#page = page;
    this.#rest = rest;
  }

  show({ title, body, actions = [] }) {
    this.clear();
    const said = h("div", {}, h("h2", {}, title), h("p", {}, body));
    const undo = this.#page && actions.find(({ kind }) => kind === "undo");
    const node = h("section", { class: "slip slip-memory", data: { notice: "memory" } }, icon("book"), h("div", {}, said));
    if (undo) {
      const tap = button(undo.label, { kind: "btn-quiet", on: { click: () => this.#undo(node, said, tap, undo.value) } });
      node.lastElementChild.append(h("div", { class: "row" }, tap));
    }
    this.#node = node;
    this.#log.put(node);
  }

  clear() {
    this.#node?.remove();
    this.#node = null;
  }

  async #undo(node, said, tap, message) {
    if (tap.getAttribute("aria-disabled")) return;
    tap.setAttribute("aria-disabled", "true"); // not `disabled`: that would drop the focus
    let words = null;
    try {
      const answer = await fetch(`${this.#page}told/${message}/forget/`, {
        method: "POST", cache: "no-store", redirect: "error",
        headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "" },
      });
      if (answer.ok) words = (await answer.json()).message;
    } catch {
      // No line, or signed out meanwhile: it is still remembered, and says so.
    }
    if (!node.isConnected) return;
    // A new node and not new text: the log reads out what is added to it.
    said.replaceChildren(h("p", {}, words ?? t("undo_failed")));
    tap.removeAttribute("aria-disabled");
    if (words === null) return;
    const focused = node.contains(document.activeElement);
    tap.parentElement.remove();
    if (focused) this.#rest();
  }
}
