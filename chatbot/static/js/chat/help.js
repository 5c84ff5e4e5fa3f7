// Help: helplines from the page, kept for offline; the card; and the small phrase list for messages that can't go out.
import { read, write } from "../store.js";
import { button, fold, h, icon, t } from "./text.js";

const KEPT = "help";

/** tel: for something one can dial, else nothing. */
export function phoneLink(phone) {
  const digits = (phone ?? "").replace(/[^\d+*#]/g, "");
  return digits.length >= 2 && !/[a-z]/i.test(phone) ? `tel:${digits.replace(/#/g, "%23")}` : null;
}

/** sms: for "HOME to 741741" or a bare number, else nothing: "chat" or an app is told in words. */
export function textLink(text) {
  const word = /^(\p{Lu}{2,})\b.*?\bto\s+([\d-]{4,})/u.exec(text ?? "");
  if (word) return `sms:${word[2].replace(/\D/g, "")}?&body=${encodeURIComponent(word[1])}`;
  const bare = /^(?:SMS |text )?([\d][\d -]{2,}?)(?:,|$)/.exec(text ?? "");
  return bare ? `sms:${bare[1].replace(/\D/g, "")}` : null;
}

/** https: only, whatever the data says. */
export function webLink(web) {
  if (!web || !/^(https:\/\/)?[\w.-]+\.[a-z]{2,}(\/\S*)?$/i.test(web)) return null;
  return web.startsWith("https://") ? web : `https://${web}`;
}

function link(words, { name, href, urgent = false }) {
  const outside = href.startsWith("https:");
  return h("a", {
    class: `btn ${urgent ? "btn-urgent" : ""}`, href,
    target: outside ? "_blank" : null, rel: outside ? "noopener noreferrer" : null,
  }, icon(name), h("span", {}, words));
}

/** One helpline: its name, hours, and big buttons. */
function lineItem(line, labels) {
  const words = (key) => labels[key] ?? t(`help_${key}`);
  const phone = line.phone_uri ?? phoneLink(line.phone);
  const text = line.text_uri ?? textLink(line.text);
  const web = webLink(line.web);
  return h("li", { class: "line" },
    h("h3", {}, line.name),
    line.hours && h("p", {}, line.hours),
    line.note && h("p", {}, line.note),
    line.text && !text && h("p", {}, `${words("text")}: ${line.text}`),
    line.unverified && h("p", {}, words("unverified")),
    h("div", { class: "row" },
      phone && link(`${words("call")} ${line.phone}`, { name: "phone", href: phone }),
      text && link(`${words("text")}: ${line.text}`, { name: "text", href: text }),
      web && link(`${words("web")} ${line.web.replace(/^https:\/\//, "").replace(/\/$/, "")}`, { name: "web", href: web })));
}

/** The inside of a card or of the panel: what to do, the emergency number first. */
function inside(card, { body = card.body } = {}) {
  const labels = card.labels ?? {};
  const numbers = (card.emergency ?? "").split("/").map((part) => part.trim()).filter((part) => phoneLink(part));
  const more = webLink(card.fallback);
  return [
    body && h("p", { class: "crisis-body" }, body),
    numbers.length > 0 && h("div", { class: "row" }, numbers.map((number) =>
      link(`${labels.emergency ?? t("help_emergency")}: ${number}`, { name: "phone", href: phoneLink(number), urgent: true }))),
    h("ul", { class: "lines" }, (card.lines ?? []).map((line) => lineItem(line, labels)),
      more && h("li", { class: "line" }, link(labels.more ?? t("help_more"), { name: "web", href: more }))),
  ];
}

export class Help {
  #card;
  #phrases;
  #pin;
  #panel;
  #shown = "";

  constructor({ card, phrases, pin, panel }) {
    if (card) write(KEPT, card);
    this.#card = card ?? read(KEPT);
    this.#phrases = (phrases ?? []).map(fold).filter((phrase) => phrase.trim());
    this.#pin = pin;
    this.#panel = panel;
  }

  /** Does a message that can't go out sound like danger? Checked here only, never sent anywhere. */
  matches(text) {
    const folded = fold(text);
    return this.#phrases.some((phrase) => folded.includes(phrase));
  }

  /** The card, pinned above the log while it matters. The same card twice is shown once. */
  pin(card = this.#card, { body, small = false } = {}) {
    if (!card) return;
    const key = JSON.stringify([card, body]);
    if (key === this.#shown) return;
    this.#shown = key;
    const words = h("span", {});
    const size = h("button", { type: "button", class: "btn btn-quiet", on: { click: () => shrink(!this.#pin.classList.contains("small")) } }, words);
    const shrink = (now) => {
      this.#pin.classList.toggle("small", now);
      words.textContent = now ? t("larger") : t("smaller");
      size.setAttribute("aria-expanded", String(!now));
    };
    shrink(small);
    this.#pin.replaceChildren(h("section", { class: "crisis", "aria-labelledby": "pin-title" },
      h("div", { class: "pin-head" }, h("h2", { id: "pin-title", class: "grow" }, card.title || t("help_title")), size),
      inside(card, { body })));
    this.#pin.hidden = false;
  }

  get pinned() {
    return !this.#pin.hidden;
  }

  /** Help from the header: works offline too. Says whether there was something to show. */
  open() {
    if (!this.#card) return false;
    const before = document.activeElement;
    const close = button(t("close"), { name: "close", kind: "btn-quiet", on: { click: () => this.#close(before) } });
    const title = h("h2", { id: "help-title", tabindex: "-1" }, this.#card.title || t("help_title"));
    this.#panel.replaceChildren(h("div", { class: "panel-head" }, title, close), ...inside(this.#card).filter(Boolean));
    this.#panel.hidden = false;
    this.#panel.onkeydown = (event) => {
      if (event.key === "Escape") this.#close(before);
    };
    title.focus();
    return true;
  }

  #close(before) {
    this.#panel.hidden = true;
    before?.focus?.();
  }
}

export { link };
