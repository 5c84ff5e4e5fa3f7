// The log: bubbles, sentence by sentence. It never moves what is being read.
import { draw } from "./drawing.js";
import { h, icon, t, button } from "./text.js";

const GAP_MS = 15 * 60_000;
const NEAR_PX = 80;
const DOTS_MS = 300;
const MARGIN_PX = 12;

const flat = (text) => text.replace(/\s+/g, " ").trim();

/** Events: "menu" {node, anchor} when a bubble's menu is asked for. */
export class Log extends EventTarget {
  #scroller;
  #list;
  #chip;
  #name;
  #drawings;
  #time;
  #day;
  #dots = null;
  #dotsTimer = 0;
  #turns = new Map();
  #finished = new Set();
  #held = null;

  constructor({ scroller, list, chip, language, name, drawings }) {
    super();
    this.#name = name;
    this.#drawings = drawings;
    this.#scroller = scroller;
    this.#list = list;
    this.#chip = chip;
    this.#time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
    this.#day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
    chip.addEventListener("click", () => {
      this.#held = null;
      this.bottom();
    });
    scroller.addEventListener("scroll", () => {
      if (this.#near()) chip.hidden = true;
    }, { passive: true });
    new ResizeObserver(() => {
      if (chip.hidden) this.bottom();
    }).observe(scroller);
    list.addEventListener("click", (event) => this.#tapped(event));
  }

  /** The page of messages that `ready` brings. Known ones are kept in place, so that a reconnect moves nothing. */
  history(messages) {
    const first = !this.#list.querySelector(".msg");
    this.#scroller.classList.toggle("still", first);
    this.#list.setAttribute("aria-busy", "true");
    this.#change(() => {
      for (const message of messages) this.#known(message);
      this.#gone(messages);
    }, { quiet: true });
    this.#list.setAttribute("aria-busy", "false");
    if (first) this.bottom();
    requestAnimationFrame(() => this.#scroller.classList.remove("still"));
  }

  /** The way to what came before this page. */
  older(address) {
    if (this.#list.querySelector(".older")) return;
    this.#change(() => this.#list.prepend(h("p", { class: "gap older" }, h("a", { href: address }, t("older")))), { quiet: true });
  }

  #known(message) {
    if (message.author === "companion" && message.turn) this.#finished.add(message.turn);
    let node = this.#node("id", message.id);
    if (!node && message.author === "companion" && message.turn) {
      node = this.#node("turn", message.turn, ".msg-companion");
      this.#turns.delete(message.turn);
    }
    if (!node) {
      node = this.#bubble({ author: message.author, at: message.at });
      this.#list.insertBefore(node, this.#later(message.id) ?? this.#list.querySelector(".msg.waiting"));
    }
    node.dataset.id = message.id;
    if (message.turn) node.dataset.turn = message.turn;
    if (flat(this.text(node)) !== flat(message.text)) this.#fill(node, message.text);
    this.#draw(node, message.drawing);
    node.toggleAttribute("data-last", message.again === false);
    this.offRecord(node, message.off_record);
    this.#react(node, message.reactions[0] ?? "");
  }

  /** A drawing under the words, with its caption. */
  #draw(node, drawing) {
    if (!drawing || node.querySelector(".drawing")) return;
    const place = h("div", { class: "picture", "aria-hidden": "true" });
    node.querySelector(".bubble").append(h("figure", { class: "drawing" }, place, h("figcaption", {}, drawing.caption)));
    draw(place, `${this.#drawings}${drawing.name}.svg`);
  }

  /** The first bubble that came after it: ids grow with time. */
  #later(id) {
    return [...this.#list.querySelectorAll(".msg[data-id]")].find((node) => node.dataset.id > id) ?? null;
  }

  /** What this page still shows although it was replaced elsewhere (another tab corrected or asked again). */
  #gone(messages) {
    const known = new Set(messages.map((message) => message.id));
    for (const node of this.#list.querySelectorAll(".msg[data-id]")) {
      if (messages.length && node.dataset.id > messages[0].id && !known.has(node.dataset.id)) node.remove();
    }
  }

  #node(name, value, also = "") {
    return this.#list.querySelector(`${also}[data-${name}="${CSS.escape(value)}"]`);
  }

  byId(id) {
    return this.#node("id", id);
  }

  /** A message that is on its way. */
  pending(item) {
    if (this.#node("client", item.client_id)) return;
    const node = this.#bubble({ author: "user", at: item.at });
    node.classList.add("waiting");
    node.dataset.client = item.client_id;
    this.#fill(node, item.text);
    this.offRecord(node, item.off_record);
    this.#change(() => this.#list.append(node), { own: true });
  }

  /** A note under the messages that wait: why they wait. */
  waiting(words) {
    for (const node of this.#list.querySelectorAll(".msg.waiting")) {
      node.querySelector(".msg-wait")?.remove();
      if (words) node.querySelector(".bubble").append(h("small", { class: "msg-note msg-wait" }, words));
    }
  }

  accepted({ client_id: client, message, turn, off_record: off }) {
    const node = this.#node("client", client);
    if (!node) return;
    const twin = this.#node("id", message);
    if (twin && twin !== node) {
      node.remove();
      return;
    }
    node.classList.remove("waiting");
    node.querySelector(".msg-wait")?.remove();
    node.dataset.id = message;
    node.dataset.turn = turn;
    this.offRecord(node, off);
  }

  /** Answered, though it is not stored. */
  heard(client) {
    const node = this.#node("client", client);
    node?.classList.remove("waiting");
    node?.querySelector(".msg-wait")?.remove();
  }

  /** Not sent after all: the words went back to the box. */
  withdrawn(client) {
    this.#change(() => {
      const node = this.#node("client", client);
      const before = node?.previousElementSibling;
      node?.remove();
      if (before?.matches(".gap:not(.older):last-child")) before.remove(); // a time over nothing
    }, { quiet: true });
  }

  thinking(on) {
    clearTimeout(this.#dotsTimer);
    if (on && !this.#dots) {
      this.#dotsTimer = setTimeout(() => {
        this.#dots = h("div", { class: "msg msg-companion first last", "aria-hidden": "true" },
          h("div", { class: "bubble dots" }, h("i"), h("i"), h("i")));
        this.#change(() => this.#list.append(this.#dots), { quiet: true });
      }, DOTS_MS);
    } else if (!on && this.#dots) {
      this.#dots.remove();
      this.#dots = null;
    }
  }

  /** A sentence. Says whether it was new. */
  delta({ turn, seq, text }) {
    if (this.#finished.has(turn)) return false;
    let open = this.#turns.get(turn);
    if (open && seq <= open.seq) return false;
    this.thinking(false);
    this.#change(() => {
      if (!open) {
        open = { node: this.#bubble({ author: "companion", at: new Date().toISOString() }), seq: 0 };
        open.node.dataset.turn = turn;
        this.offRecord(open.node, this.isOffRecord(this.#node("turn", turn, ".msg-user")));
        this.#turns.set(turn, open);
        this.#list.append(open.node);
      }
      open.seq = seq;
      const bubble = open.node.querySelector(".bubble");
      bubble.append(h("span", { class: "fresh" }, (bubble.querySelector("span.fresh") ? " " : "") + text));
    });
    return true;
  }

  done({ turn, message, finish, skill, drawing, again }) {
    this.thinking(false);
    this.#finished.add(turn);
    const node = this.#turns.get(turn)?.node;
    this.#turns.delete(turn);
    if (!node) return;
    if (message) node.dataset.id = message;
    node.toggleAttribute("data-last", again === false);
    this.#change(() => {
      if (finish === "crisis" || skill) node.querySelector(".bubble").classList.add("several");
      if (finish === "crisis") this.#held = node;
      this.#draw(node, drawing);
      if (finish === "stopped") node.querySelector(".bubble").append(h("small", { class: "msg-note" }, t("stopped")));
    }, { quiet: true });
  }

  /** The last piece of a turn that is still open, for `hello`. */
  seen() {
    const last = [...this.#turns].at(-1);
    return last ? { turn: last[0], seq: last[1].seq } : null;
  }

  /** The bubbles after that one: shown as about to change. Gives a way to drop them and a way back. */
  replacing(nodes) {
    for (const node of nodes) node.classList.add("replaced");
    return {
      drop: () => this.#change(() => nodes.forEach((node) => node.remove()), { quiet: true }),
      back: () => nodes.forEach((node) => node.classList.remove("replaced")),
    };
  }

  after(node) {
    const all = [...this.#list.querySelectorAll(".msg-companion[data-turn]")];
    return all.filter((other) => node.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
  }

  last(author) {
    return [...this.#list.querySelectorAll(`.msg-${author}[data-id]`)].at(-1) ?? null;
  }

  text(node) {
    return [...node.querySelectorAll(".bubble > span:not(.sr)")].map((span) => span.textContent).join("\n").trim();
  }

  setText(node, text) {
    this.#fill(node, text);
  }

  reaction(node, emoji) {
    this.#change(() => this.#react(node, emoji), { quiet: true });
  }

  #react(node, emoji) {
    node.querySelector(".react")?.remove();
    node.classList.toggle("reacted", Boolean(emoji));
    node.dataset.reaction = emoji;
    if (emoji) node.querySelector(".bubble").append(h("span", { class: "react", role: "img", "aria-label": t("reacted", { emoji }) }, emoji));
  }

  isOffRecord(node) {
    return Boolean(node?.matches(".off-record"));
  }

  /** A message that is not to be remembered says so; what answers it looks the same. */
  offRecord(node, off) {
    if (this.isOffRecord(node) === Boolean(off)) return;
    node.classList.toggle("off-record", Boolean(off));
    node.querySelector(".msg-off")?.remove();
    if (off && node.matches(".msg-user")) {
      node.querySelector(".bubble").append(h("small", { class: "msg-note msg-off" }, icon("off-record"), t("off_record")));
    }
  }

  /** Any other thing that stands in the log: a slip, a card. */
  put(node) {
    this.#change(() => this.#list.append(node));
  }

  /** The end; of a written crisis answer its beginning, since what to do now stands there. */
  bottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    if (this.#held?.isConnected) this.#scroller.scrollTop -= Math.max(0, this.#above() + MARGIN_PX);
    this.#chip.hidden = true;
  }

  /** How much of the held bubble is scrolled out of sight. */
  #above() {
    return this.#scroller.getBoundingClientRect().top - this.#held.getBoundingClientRect().top;
  }

  #near() {
    if (this.#held?.isConnected && Math.abs(this.#above()) < NEAR_PX) return true;
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight < NEAR_PX;
  }

  #change(act, { quiet = false, own = false } = {}) {
    if (own) this.#held = null;
    const near = own || this.#near();
    act();
    if (this.#dots?.isConnected && this.#list.lastElementChild !== this.#dots) this.#list.append(this.#dots);
    this.#group();
    if (near) this.bottom();
    else if (!quiet) this.#chip.hidden = false;
  }

  #bubble({ author, at }) {
    const when = new Date(at);
    return h("div", { class: `msg msg-${author}`, data: { at: when.getTime() } },
      h("div", { class: "bubble" }, h("span", { class: "sr" }, author === "user" ? t("you_said") : t("it_said", { name: this.#name }))),
      h("button", { type: "button", class: "msg-more", "aria-expanded": "false", "aria-label": t("message_menu") }, icon("more")),
      h("time", { datetime: when.toISOString() }, this.#time.format(when)));
  }

  #fill(node, text) {
    const bubble = node.querySelector(".bubble");
    bubble.querySelectorAll(":scope > span:not(.sr, .react)").forEach((span) => span.remove());
    const companion = node.classList.contains("msg-companion");
    const lines = companion ? text.split("\n").filter(Boolean) : [text];
    bubble.classList.toggle("several", lines.length > 1);
    bubble.querySelector(".sr").after(...lines.map((line) => h("span", {}, line)));
  }

  /** Neighbours of one author share a tail; a long silence gets its time in between. */
  #group() {
    let before = null;
    let lastOwn = null;
    for (const node of this.#list.querySelectorAll(":scope > .msg")) {
      const joined = before && before.className.includes("msg-user") === node.className.includes("msg-user")
        && before.nextElementSibling === node && node.dataset.at - before.dataset.at < GAP_MS;
      before?.classList.toggle("last", !joined);
      node.classList.toggle("first", !joined);
      node.classList.add("last");
      if (node.dataset.at && (!before || node.dataset.at - before.dataset.at > GAP_MS) && !node.previousElementSibling?.matches(".gap")) {
        node.before(h("p", { class: "gap" }, this.#day.format(new Date(Number(node.dataset.at)))));
      }
      if (node.matches(".msg-user")) {
        node.querySelector(".msg-more").hidden = true;
        if (node.dataset.id) lastOwn = node;
      }
      if (!node.matches("[aria-hidden]")) before = node;
    }
    if (lastOwn) lastOwn.querySelector(".msg-more").hidden = false;
  }

  #tapped(event) {
    const node = event.target.closest(".msg");
    if (!node) return;
    const anchor = event.target.closest(".msg-more");
    if (anchor) this.dispatchEvent(new CustomEvent("menu", { detail: { node, anchor } }));
    else if (!getSelection().toString()) node.classList.toggle("open");
  }
}

/** The chip that leads to what is new. */
export function newChip() {
  const chip = button(t("new"), { name: "down", kind: "btn-main new" });
  chip.hidden = true;
  return chip;
}
