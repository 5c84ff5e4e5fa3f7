// The line to the server: abraco.v1. Says hello, follows, comes back after every break, and tells its state in words.
import { signIn } from "./sign_in.js";
import { has, t } from "./text.js";

const PROTOCOL = "abraco.v1";
const PING_MS = 25_000;
const SILENT_MS = 60_000;
const LONGEST_MS = 30_000;
/** After these the page can't go on by itself. */
const FINAL = { 4400: "closed", 4401: "signed_out", 4403: "closed", 4409: "closed" };
/** A ticket that wasn't taken is no sign-out: a fresh one may be, a few times. */
const TICKETS = 3;
const SLOW = { 4429: 10_000, 4413: 1_000 };

/** Events: "state" {state, words}, "frame" (the frame), "lost" {code}. */
export class Line extends EventTarget {
  #address;
  #socket = null;
  #tries = 0;
  #retry = 0;
  #beat = 0;
  #heard = 0;
  #ready = false;
  #asking = false;
  #hello;

  /** hello: gives {conversation?, seen?} for the first frame of each connection. */
  constructor({ path, hello }) {
    super();
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#address = address.href;
    this.#hello = hello;
    this.state = "connecting";
    addEventListener("online", () => this.#soon());
    addEventListener("offline", () => this.#gone());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#soon();
    });
    addEventListener("pageshow", () => this.#soon());
  }

  get online() {
    return this.#ready;
  }

  start() {
    clearTimeout(this.#retry);
    if (this.state in { signed_out: 1, closed: 1 } || this.#socket || this.#asking) return;
    this.#say(this.#tries ? "reconnecting" : "connecting");
    if (!signIn.ticket) {
      this.#open({});
      return;
    }
    this.#asking = true;
    signIn.ticket().then((ticket) => {
      this.#asking = false;
      this.#open(ticket);
    }, (error) => {
      this.#asking = false;
      this.#tries += 1;
      if (error.final) this.#say("closed", null, error.message);
      else this.#later(this.#wait(0));
    });
  }

  #open(ticket) {
    let socket;
    try {
      socket = new WebSocket(this.#address, [PROTOCOL]);
    } catch {
      this.#later(0);
      return;
    }
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#heard = Date.now();
      this.#put({ type: "hello", ...ticket, ...this.#hello() });
      this.#beat = setInterval(() => this.#ping(), PING_MS);
    });
    socket.addEventListener("message", (event) => this.#take(event.data));
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#closed(event.code);
    });
  }

  /** Sends now, or says no: only messages of a person are worth keeping, and the outbox keeps them. */
  send(frame) {
    return this.#ready && this.#put(frame);
  }

  /** Once more from hello, for the page of messages that `ready` brings. */
  renew() {
    if (!this.#ready || signIn.once) return;
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    clearInterval(this.#beat);
    socket.close(1000);
    this.start();
  }

  #put(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #take(data) {
    this.#heard = Date.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "ready") {
      this.#ready = true;
      this.#tries = 0;
      this.#say("online");
    }
    if (frame.type !== "pong") this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #ping() {
    if (Date.now() - this.#heard > SILENT_MS) this.#drop();
    else this.#put({ type: "ping" });
  }

  /** A connection that answers no more is closed here, without waiting for the other side. */
  #drop() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  #gone() {
    if (this.state in { signed_out: 1, closed: 1 }) return;
    if (this.#socket) this.#drop();
    this.#say("offline");
  }

  #closed(code) {
    clearInterval(this.#beat);
    this.#socket = null;
    this.#ready = false;
    this.dispatchEvent(new CustomEvent("lost", { detail: { code } }));
    const stale = signIn.ticket && code === 4401;
    if (code in FINAL && !(stale && this.#tries < TICKETS)) {
      this.#say(stale ? "closed" : FINAL[code], `close_${stale ? 4403 : code}`);
      return;
    }
    this.#tries += 1;
    this.#later(this.#wait(SLOW[code] ?? 0), `close_${stale ? 1006 : code}`);
  }

  #wait(least) {
    const grown = Math.min(LONGEST_MS, 500 * 2 ** Math.min(this.#tries, 7));
    return Math.max(least, grown * (0.5 + Math.random() / 2));
  }

  #later(wait, key) {
    if (navigator.onLine === false) this.#say("offline");
    else this.#say("reconnecting", key);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.start(), wait || 1000);
  }

  /** The network is back, or the person is: don't sit out a long wait. */
  #soon() {
    if (!this.#socket && this.#tries) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.start(), 200);
    }
  }

  #say(state, key, said) {
    this.state = state;
    const words = said ?? (key && has(key) ? t(key) : t(`state_${state}`));
    this.dispatchEvent(new CustomEvent("state", { detail: { state, words } }));
  }
}
