// Games and helpers: a sheet with all of them. A tap says the words that ask for one.
export class Play {
  #button;
  #panel;

  constructor({ button, panel, say }) {
    if (!button || !panel) return;
    this.#button = button;
    this.#panel = panel;
    button.addEventListener("click", () => (panel.hidden ? this.#open() : this.close({ refocus: true })));
    panel.addEventListener("click", ({ target }) => {
      const words = target.closest("[data-say]")?.dataset.say;
      if (!words && !target.closest("[data-play-close]")) return;
      this.close({ refocus: !words });
      if (words) say(words);
    });
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close({ refocus: true });
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!panel.contains(target) && !button.contains(target)) this.close();
    });
  }

  #open() {
    this.#panel.hidden = false;
    this.#panel.scrollTop = 0;
    this.#button.setAttribute("aria-expanded", "true");
    this.#panel.querySelector("h2").focus();
  }

  /** Not while it is about danger: the way to games goes until the page is opened again. */
  rest() {
    this.close();
    if (this.#button) this.#button.hidden = true;
  }

  close({ refocus = false } = {}) {
    if (!this.#panel || this.#panel.hidden) return;
    this.#panel.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (refocus) this.#button.focus();
  }
}
