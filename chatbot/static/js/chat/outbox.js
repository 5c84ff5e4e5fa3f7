// Messages on their way. Each is kept on this device until the server says "accepted"; a double send is harmless.
import { read, write } from "../store.js";

const WAIT_MS = 20_000;

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Sends one message at a time, so that an error always belongs to the one that is out. */
export class Outbox {
  #key;
  #line;
  #timer = 0;
  #pause = 0;

  constructor({ person, line }) {
    this.#key = `outbox.${person}`;
    this.#line = line;
    this.items = read(this.#key, []);
    this.out = null;
  }

  add(text, { offRecord = false } = {}) {
    const item = { client_id: uuid(), text, at: new Date().toISOString(), ...(offRecord && { off_record: true }) };
    this.items.push(item);
    this.#keep();
    this.flush();
    return item;
  }

  flush() {
    if (this.out || this.#pause || !this.items.length || !this.#line.online) return;
    const [item] = this.items;
    const { client_id, text, off_record } = item;
    if (!this.#line.send({ type: "say", client_id, text, ...(off_record && { off_record }) })) return;
    this.out = item;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.out = null;
      this.flush();
    }, WAIT_MS);
  }

  /** Stored by the server: forget it here. */
  accepted(clientId) {
    return this.#take((item) => item.client_id === clientId);
  }

  /** Not taken: gives the message back, so that its words can return to the box. */
  refused({ waitS = 0 } = {}) {
    const { out } = this;
    if (!out) return null;
    if (waitS) {
      this.#pause = setTimeout(() => {
        this.#pause = 0;
        this.flush();
      }, waitS * 1000);
    }
    return this.#take((item) => item.client_id === out.client_id);
  }

  /** The connection is gone: what was out goes out again after the next hello, under the same id. */
  lost() {
    clearTimeout(this.#timer);
    this.out = null;
  }

  #take(match) {
    const found = this.items.find(match) ?? null;
    this.items = this.items.filter((item) => !match(item));
    this.#keep();
    if (found && this.out?.client_id === found.client_id) this.lost();
    return found;
  }

  #keep() {
    write(this.#key, this.items);
  }
}
