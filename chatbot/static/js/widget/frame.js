// The page inside the frame: learns where it stands and for whom, gets tickets, then starts the chat. Keeps no cookie.
import { Help } from "../chat/help.js";
import { signIn } from "../chat/sign_in.js";
import { forgetDrafts, read, remove, write } from "../store.js";

const page = JSON.parse(document.getElementById("frame-boot").textContent);
const at = (name) => document.querySelector(`[data-${name}]`);
const over = (name) => document.querySelector(`[data-over="${name}"]`);
const LOCK = "widget.locked";
const ANSWER_MS = 20_000;
/** A ticket lives 60 s: one that lay longer is not worth trying. */
const FRESH_MS = 45_000;

class Refusal extends Error {
  constructor(message, { final = true, help = null, code = "" } = {}) {
    super(message);
    Object.assign(this, { final, help, code });
  }
}

/** Where this page stands. `host`: whether a loader is there to talk to; `given`: an identity in the address's own part. */
function placed() {
  const query = new URLSearchParams(location.search);
  const given = new URLSearchParams(location.hash.slice(1)).get("identity");
  if (given) history.replaceState(null, "", location.pathname + location.search);
  const framed = window.parent !== window;
  const named = query.get("origin");
  if (framed && named) return { origin: named, host: true, given };
  const above = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  return { origin: framed ? above : "webview", host: false, given };
}

const place = placed();
const allowed = page.origins.includes(place.origin);
let identity = place.given;
let mine = false;
let waiting = null;
let hidden = false;
let unread = 0;
let gone = null;

/** To the loader, and only while the page above is of the origin that was said. Never a word of the chat. */
function tell(type, more = {}) {
  if (place.host && allowed) window.parent.postMessage({ abraco: 1, type, ...more }, place.origin);
}

addEventListener("message", ({ source, origin, data }) => {
  if (!place.host || source !== window.parent || origin !== place.origin || data?.abraco !== 1) return;
  if (data.type === "identity" && typeof data.token === "string") {
    signIn.once = data.once === true;
    waiting?.resolve(data.token);
  }
  if (data.type === "no_identity") waiting?.reject(new Refusal(page.words.no_identity));
  if (data.type === "shown") shown();
  if (data.type === "hidden") hidden = true;
});

function asked() {
  if (identity) {
    const given = identity;
    identity = null;
    signIn.once = true;
    return Promise.resolve(given);
  }
  if (!place.host) return Promise.reject(new Refusal(page.words.no_identity));
  return new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    setTimeout(() => reject(new Refusal(page.words.no_identity)), ANSWER_MS);
    tell("identify");
  }).finally(() => { waiting = null; });
}

async function post(address, fields) {
  let response;
  let answer = {};
  try {
    response = await fetch(address, {
      method: "POST", credentials: "omit", cache: "no-store", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ site: page.site, origin: place.origin, lang: document.documentElement.lang, ...fields }),
    });
    answer = await response.json();
  } catch {
    throw new Refusal(page.words.no_line, { final: false });
  }
  if (response.ok) return answer;
  tell("error", { code: answer.code, detail: answer.owner ?? answer.message });
  throw new Refusal(answer.message, { final: response.status < 429, help: answer.help, code: answer.code });
}

async function admit() {
  const token = await asked();
  return post(page.ticket, { identity: token, zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "" });
}

function cover(name) {
  for (const sheet of document.querySelectorAll("[data-over]")) sheet.hidden = sheet.dataset.over !== name;
  for (const part of [at("log-wrap"), document.querySelector(".dock")]) part.inert = Boolean(name);
}

function told(words) {
  at("over-words").textContent = words;
  cover("wait");
}

/** No chat for this visitor: the sentence, and the helplines all the same. */
function refused(error) {
  told(error.message);
  at("state").hidden = true;
  if (error.help) {
    const help = new Help({ card: error.help, phrases: [], pin: at("pin"), panel: at("panel") });
    at("help").addEventListener("click", (event) => {
      if (help.open()) event.preventDefault();
    });
  }
}

function shown() {
  hidden = false;
  unread = 0;
  tell("unread", { count: 0 });
  const first = [...document.querySelectorAll("[data-over]:not([hidden]) :is(h2, button)")][0];
  if (first) first.focus();
  else if (matchMedia("(hover: hover) and (pointer: fine)").matches) document.getElementById("box").focus();
  else at("log").focus();
}

function leave() {
  write(LOCK, true);
  dispatchEvent(new Event("abraco:left"));
  forgetDrafts();
  cover("locked");
  tell("left");
  if (!place.host) location.replace("about:blank");
}

let lastEscape = -Infinity;
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.repeat) return;
  const open = document.querySelector(".menu:not([hidden]), [data-panel]:not([hidden])");
  if (event.timeStamp - lastEscape < 900) leave();
  else if (!open) tell("close", { by: "escape" });
  lastEscape = event.timeStamp;
}, { capture: true });
at("leave-now").addEventListener("click", leave);
at("close").hidden = !place.host;
at("close").addEventListener("click", () => tell("close"));

/** Until the deal is confirmed nothing is typed; help and the way out stay. */
function deal(line) {
  const yes = at("deal");
  const ready = () => { yes.disabled = !line.online; };
  line.addEventListener("state", ready);
  ready();
  yes.addEventListener("click", () => {
    if (!line.send({ type: "ack", kind: "deal" })) return;
    document.querySelectorAll(".slip-guardian").forEach((slip) => slip.remove());
    cover(null);
    shown();
  });
  cover("deal");
}

function forget(line) {
  const button = at("forget");
  const words = button.querySelector("span:last-child");
  let sure = false;
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      words.textContent = page.words.delete_again;
      return;
    }
    button.disabled = true;
    gone = new Refusal(page.words.deleted);
    try {
      const { ticket } = await admit();
      await post(page.forget, { ticket });
      line.send({ type: "ping" });
      for (const kind of ["draft", "outbox", "record"]) remove(`${kind}.${JSON.parse(document.getElementById("chat-boot").textContent).person}`);
      at("list").replaceChildren();
      told(page.words.deleted);
    } catch (error) {
      gone = null;
      sure = false;
      button.disabled = false;
      words.textContent = error.code === "locked" ? error.message : page.words.delete_failed;
    }
  });
}

/** What the site calls them, from the identity itself: the server hasn't looked at it yet, and never keeps it. */
function called(token) {
  try {
    const part = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    const { name } = JSON.parse(new TextDecoder().decode(Uint8Array.from(part, (one) => one.charCodeAt(0))));
    return typeof name === "string" ? name.trim().slice(0, 64) : "";
  } catch {
    return "";
  }
}

/** An identity in the address: anybody could have sent that link, and would read what is typed there. */
function who() {
  const name = called(identity);
  at("who").hidden = !name;
  at("who").textContent = page.words.called.replace("{name}", () => name);
  cover("who");
  at("who-title").focus();
}

async function start() {
  if (identity && !mine) {
    who();
    return;
  }
  cover("wait");
  let first;
  try {
    first = await admit();
  } catch (error) {
    if (error.final) refused(error);
    else {
      told(error.message);
      setTimeout(start, 5_000);
    }
    return;
  }
  const boot = { ...first.boot, accent: document.documentElement.dataset.accent };
  const holder = document.createElement("script");
  holder.type = "application/json";
  holder.id = "chat-boot";
  holder.textContent = JSON.stringify(boot);
  document.body.append(holder);
  let ready = { ticket: first.ticket, at: Date.now() };
  signIn.ticket = async () => {
    if (gone) throw gone;
    const kept = ready;
    ready = null;
    const ticket = kept && Date.now() - kept.at < FRESH_MS ? kept.ticket : (await admit()).ticket;
    return { ticket, site: page.site, origin: place.origin };
  };
  const { line } = await import("../chat/main.js");
  line.addEventListener("frame", ({ detail }) => {
    if (detail.type === "ready") tell("ready");
    if (detail.type !== "done" || !hidden) return;
    unread += 1;
    tell("unread", { count: unread });
  });
  forget(line);
  if (boot.deal) deal(line);
  else cover(null);
  if (!hidden) shown();
}

function locked() {
  return read(LOCK, false) || new URLSearchParams(location.search).has("locked");
}

at("yes").addEventListener("click", () => {
  mine = true;
  start();
});
at("no").addEventListener("click", () => {
  identity = null;
  refused(new Refusal(page.words.not_you));
});
at("unlock").addEventListener("click", () => {
  remove(LOCK);
  start();
});
tell("hello");
if (!allowed) told(page.words.wrong_place);
else if (locked()) cover("locked");
else start();
