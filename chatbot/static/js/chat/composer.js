// The box: grows to five lines, keeps its draft on this device, sends by Enter where there is a keyboard.
import { read, remove, write } from "../store.js";
import { h, t } from "./text.js";

const EMOJI = ["😂", "🥲", "😭", "😅", "🙃", "😎", "🥹", "😴", "🤔", "😬", "😡", "🤯", "🥳", "🤗", "👍", "👀", "🙏", "💛", "🔥", "✨", "🎮", "⚽", "🎧", "🍕"];
const NEAR_END = 500;
const SAVE_MS = 250;

/** Events: "say" {text}, "edit" {message, text}, "stop". */
export class Composer extends EventTarget {
  #form;
  #box;
  #send;
  #stop;
  #count;
  #editing;
  #key;
  #max;
  #timer = 0;
  #message = null;
  #before = "";
  #locked = false;
  #streaming = false;

  constructor({ form, person, max }) {
    super();
    this.#form = form;
    this.#box = form.querySelector("textarea");
    this.#send = form.querySelector("[data-send]");
    this.#stop = form.querySelector("[data-stop]");
    this.#count = document.querySelector("[data-count]");
    this.#editing = document.querySelector("[data-editing]");
    this.#key = `draft.${person}`;
    this.#max = max;
    this.#box.value = read(this.#key, "");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
    this.#box.addEventListener("input", () => this.#changed());
    this.#box.addEventListener("keydown", (event) => this.#keyed(event));
    this.#stop.addEventListener("click", () => this.dispatchEvent(new Event("stop")));
    this.#editing.querySelector("button").addEventListener("click", () => this.#editEnd());
    addEventListener("pagehide", () => this.#save());
    addEventListener("abraco:left", () => this.#clear());
    this.#emoji(document.querySelector("[data-emoji-button]"), document.querySelector("[data-emoji]"));
    this.#changed();
  }

  set max(most) {
    this.#max = most;
    this.#changed();
  }

  set streaming(on) {
    this.#streaming = on;
    this.#changed();
  }

  /** During a break the box is shut until the person taps (R6). What was typed stays. */
  set locked(on) {
    this.#locked = on;
    this.#box.disabled = on;
    this.#box.placeholder = on ? t("box_break") : t("box");
    this.#changed();
  }

  /** Words that could not be sent come back, before anything typed since. */
  restore(text) {
    const typed = this.#box.value.trim();
    this.#box.value = typed ? `${text}\n${typed}` : text;
    this.#changed();
  }

  /** Words to send or to change, if nothing is being written. */
  offer(text) {
    if (this.#box.value.trim()) return false;
    this.#box.value = text;
    this.#changed();
    return true;
  }

  edit(message, text) {
    this.#before = this.#box.value;
    this.#message = message;
    this.#editing.hidden = false;
    this.#box.value = text;
    this.#changed();
    this.#box.focus();
  }

  focus() {
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) this.#box.focus();
  }

  #editEnd() {
    this.#message = null;
    this.#editing.hidden = true;
    this.#box.value = this.#before;
    this.#before = "";
    this.#changed();
    this.#box.focus();
  }

  #go() {
    const text = this.#box.value.trim();
    if (!text || this.#locked || [...text].length > this.#max) return;
    const message = this.#message;
    if (message) {
      this.#editEnd();
      this.dispatchEvent(new CustomEvent("edit", { detail: { message, text } }));
      return;
    }
    this.#box.value = "";
    this.#changed();
    this.#save();
    this.dispatchEvent(new CustomEvent("say", { detail: { text } }));
    this.#box.focus();
  }

  #keyed(event) {
    const alone = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    const keyboard = matchMedia("(hover: hover) and (pointer: fine)").matches;
    if (event.key === "Enter" && !event.isComposing && ((alone && keyboard) || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#go();
    }
  }

  #changed() {
    const length = [...this.#box.value].length;
    const left = this.#max - length;
    this.#count.hidden = left > NEAR_END;
    this.#count.textContent = left < 0 ? t("too_long", { n: -left }) : t("chars_left", { n: left });
    this.#count.classList.toggle("over", left < 0);
    const empty = !this.#box.value.trim();
    // Stop replaces send while a reply streams; once something is typed, it can be sent as well.
    this.#stop.hidden = !(this.#streaming && empty);
    this.#send.hidden = !this.#stop.hidden;
    this.#send.disabled = empty || left < 0 || this.#locked;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_MS);
  }

  /** Somebody left quickly: what was typed is nobody's to find. */
  #clear() {
    this.#message = null;
    this.#before = "";
    this.#editing.hidden = true;
    this.#box.value = "";
    this.#changed();
    this.#save();
  }

  #save() {
    if (this.#message) return;
    if (this.#box.value) write(this.#key, this.#box.value);
    else remove(this.#key);
  }

  #emoji(opener, bar) {
    bar.append(...EMOJI.map((emoji) => h("button", { type: "button", on: { click: () => this.#put(emoji) } }, emoji)));
    opener.addEventListener("click", () => {
      bar.hidden = !bar.hidden;
      opener.setAttribute("aria-expanded", String(!bar.hidden));
    });
  }

  #put(text) {
    if (this.#locked) return;
    const { selectionStart: from, selectionEnd: to } = this.#box;
    this.#box.setRangeText(text, from, to, "end");
    this.#changed();
  }
}
