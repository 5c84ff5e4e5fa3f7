// Off the record: the switch by the box. It holds until it is switched off, over a reload and a new connection too.
import { read, write } from "../store.js";

export class Record {
  #button;
  #note;
  #key;
  #on;
  /** Whether anything is remembered at all; not known before the first `ready`. */
  #offered = null;
  /** The newest id of this conversation: ids grow with time, so that a tap has its place among the messages. */
  #newest = "";

  constructor({ button, note, person }) {
    this.#button = button;
    this.#note = note;
    this.#key = `record.${person}`;
    this.#on = read(this.#key)?.on === true;
    button.addEventListener("click", () => this.set(!this.#on));
    this.#show();
  }

  get off() {
    return this.#on && this.#offered !== false;
  }

  /** What was chosen last holds: the tap on this device, or the last message, wherever that was said. */
  ready({ memory, conversation, messages }) {
    const first = this.#offered === null;
    this.#offered = memory === true;
    const last = messages.findLast((message) => message.author === "user");
    const tap = read(this.#key);
    if (first && last && !(tap?.after >= last.id)) this.#on = last.off_record === true;
    this.seen(conversation);
    messages.forEach((message) => this.seen(message.id));
    this.#show();
  }

  seen(id) {
    if (id > this.#newest) this.#newest = id;
  }

  set(on) {
    this.#on = on;
    write(this.#key, { on, after: this.#newest });
    this.#show();
  }

  #show() {
    // One that is on is seen before anybody knows whether there is anything to be off of.
    this.#button.hidden = this.#offered === false || (this.#offered === null && !this.#on);
    this.#button.setAttribute("aria-pressed", String(this.off));
    this.#note.hidden = !this.off;
    this.#button.closest(".dock").classList.toggle("off-record", this.off);
  }
}
