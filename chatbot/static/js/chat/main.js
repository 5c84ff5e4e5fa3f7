// The chat page: the line, the outbox, the log, the box, and who tells whom what.
import { Composer } from "./composer.js";
import { Face } from "./face.js";
import { Help } from "./help.js";
import { Log, newChip } from "./log.js";
import { messageMenu } from "./actions.js";
import { slip } from "./notices.js";
import { Outbox } from "./outbox.js";
import { Play } from "./play.js";
import { Record } from "./record.js";
import { Remembered } from "./remembered.js";
import { Line } from "./socket.js";
import { h, t } from "./text.js";

const UNHEARD_MS = 5_000;
const TOO_LARGE = 4413;
const NEAR_END_MIN = 20;
const CLOSED = new Set(["limit", "quiet_hours", "guardian"]);
const OWN_FAULT = new Set(["empty", "too_long", "bad_frame", "too_fast", "not_stored", "key_missing"]);

const at = (name) => document.querySelector(`[data-${name}]`);
const boot = JSON.parse(document.getElementById("chat-boot").textContent);
const person = boot.person ?? "me";

let conversation = boot.conversation ?? null;
let turn = null;
let change = null;
/** Turns that began in this tab: those of another tab bring no question with them. */
const mine = new Set();
let disclosed = false;

/** Whether this visit (this tab, until it is closed) was told already that it is an AI. */
const visit = {
  told() {
    try {
      const told = sessionStorage.getItem("abraco.told") !== null;
      sessionStorage.setItem("abraco.told", "1");
      return told;
    } catch {
      return false;
    }
  },
};

const face = new Face(document.querySelector(".chat-who [data-face]"));
const help = new Help({ card: boot.help, phrases: boot.phrases, pin: at("pin"), panel: at("panel") });
const chip = newChip();
at("log-wrap").append(chip);
const log = new Log({ scroller: at("log"), list: at("list"), chip, language: boot.language, name: boot.companion.name, drawings: boot.drawings });
export const line = new Line({
  path: boot.socket,
  hello: () => ({ ...(conversation && { conversation }), ...(log.seen() && { seen: log.seen() }) }),
});
const outbox = new Outbox({ person, line });
const composer = new Composer({ form: at("composer"), person, max: 4000 });
const play = new Play({ button: at("play-button"), panel: at("play"), say });
const record = new Record({ button: at("record"), note: at("record-note"), person });
const unwritten = offered(boot.play);
const remembered = new Remembered({ log, page: boot.memory, rest: () => at("log").focus({ preventScroll: true }) });

function answering(id) {
  turn = id;
  if (id) remembered.clear();
  composer.streaming = Boolean(id);
  face.thinking(Boolean(id));
  if (!id) log.thinking(false);
}

/** What was to be replaced is, now that its turn speaks. */
function settled(id) {
  if (!change) return;
  change.drop();
  if (change.asked) change.asked.dataset.turn = id;
  change = null;
  mine.add(id);
}

/** A slip of a kind replaces the one before: nothing is said twice in a row. */
function show(notice, act) {
  const newest = at("list").lastElementChild;
  const said = `${notice.title}\n${notice.body}`;
  if (newest?.dataset.notice === notice.kind && newest.dataset.said === said) return;
  const node = slip(notice, act);
  node.dataset.said = said;
  log.put(node);
}

function backToBox(options) {
  const item = outbox.refused(options);
  if (!item) return;
  log.withdrawn(item.client_id);
  composer.restore(item.text);
  if (item.off_record) record.set(true);
}

function acknowledge(kind, value) {
  line.send({ type: "ack", kind: value });
  if (value === "break") {
    composer.locked = false;
    composer.focus();
  }
  for (const node of document.querySelectorAll(`.slip-${value} .row`)) node.remove();
}

const on = {
  ready(frame) {
    conversation = frame.conversation;
    composer.max = frame.limits.max_chars;
    at("name").textContent = frame.companion.name;
    at("ai").textContent = frame.companion.ai_label;
    if (!boot.accent) document.documentElement.dataset.accent = frame.companion.colour;
    face.mood(help.pinned ? "serious" : frame.companion.mood);
    composer.locked = false;
    record.ready({ memory: frame.limits.memory, conversation, messages: frame.messages });
    log.history(frame.messages);
    if (boot.earlier && frame.messages.length >= boot.page) log.older(`${boot.earlier}${conversation}/?before=${frame.messages[0].id}`);
    if (!disclosed) {
      disclosed = true;
      // First in every visit, and before anything is said in a new conversation (R3); a reload doesn't repeat it.
      const told = visit.told();
      if (!told || !frame.messages.length) show({ kind: "disclosure", ...frame.disclosure, actions: [{ kind: "ack", label: t("got_it"), value: "disclosure" }] }, acknowledge);
      log.bottom();
      face.hug();
      outbox.items.forEach((item) => log.pending(item));
      start(frame.messages.length === 0 && !outbox.items.length);
    }
    answering(frame.turn?.turn ?? null);
    if (turn) mine.add(turn);
    if (turn) log.thinking(true);
    minutes(frame.limits.minutes_left);
    outbox.flush();
  },
  accepted(frame) {
    outbox.accepted(frame.client_id);
    log.accepted(frame);
    record.seen(frame.message);
    at("chips").replaceChildren();
    mine.add(frame.turn);
    answering(frame.turn);
    log.thinking(true);
    outbox.flush();
  },
  delta(frame) {
    settled(frame.turn);
    if (!log.delta(frame)) return;
    if (turn !== frame.turn) answering(frame.turn);
  },
  done(frame) {
    settled(frame.turn);
    log.done(frame);
    if (frame.message) record.seen(frame.message);
    if (!turn || turn === frame.turn) answering(null);
    face.mood(frame.finish === "crisis" ? "serious" : frame.mood);
    if (frame.again === false) show({ kind: "no_other", title: "", body: t("no_other") });
    if (frame.finish === "failed") show({ kind: "error", title: t("failed_title"), body: t("failed") });
    chips(frame.suggestions);
    outbox.flush();
    // Said in another tab: the question stands in the page that `ready` brings.
    if (!mine.has(frame.turn)) line.renew();
  },
  notice(frame) {
    if (frame.kind === "crisis_card") {
      face.mood("serious");
      play.rest();
      // A message that could not be stored is answered by the notice alone: its words are the body.
      const words = frame.data?.body === frame.body ? undefined : frame.body;
      if (words) {
        // It was heard and answered, so it must not go out again and again.
        const item = outbox.refused();
        if (item) log.heard(item.client_id);
        show({ kind: "safety_tip", title: "", body: words });
      }
      help.pin({ title: frame.title, body: frame.body, ...(frame.data ?? {}) });
      return;
    }
    if (frame.kind === "memory") {
      // What was said meanwhile is on its way: the slip would stand under it.
      if (!turn && !outbox.items.length) remembered.show(frame);
      return;
    }
    if (frame.kind === "break" || CLOSED.has(frame.kind)) backToBox();
    if (frame.kind === "break") composer.locked = true;
    show(frame, acknowledge);
  },
  error(frame) {
    if (OWN_FAULT.has(frame.code) && outbox.out) backToBox({ waitS: frame.retry_after ?? 0 });
    change?.back();
    change = null;
    show({ kind: "error", title: t("error_title"), body: frame.message });
  },
};

/** Only towards the end: a clock that always stands there is one more thing to watch. */
function minutes(left) {
  const near = left !== null && left <= NEAR_END_MIN;
  at("minutes").hidden = !near;
  at("minutes").textContent = near ? t("minutes_left", { n: left }) : "";
}

function chips(words) {
  at("chips").replaceChildren(...words.slice(0, 3).map((text) =>
    h("button", { type: "button", class: "chip", on: { click: () => say(text) } }, text)));
}

/** What was tapped on the shelf, in the box; over it, where something is being written there. Nothing is said by itself. */
function offered(words) {
  if (!words) return [];
  const address = new URL(location.href);
  address.searchParams.delete("play");
  history.replaceState(history.state, "", address); // once: not over a reload
  return composer.offer(words) ? [] : [words];
}

/** Where nothing was said yet: a first word, and three ways to begin. A way out of a hard talk is always there. */
function start(empty) {
  const ways = [...(boot.suggestions ?? []), ...unwritten];
  if (at("start")) at("start").hidden = !empty;
  chips(empty && !ways.length ? boot.starters ?? [] : ways);
}

function say(text) {
  at("chips").replaceChildren();
  remembered.clear();
  at("start")?.remove();
  const item = outbox.add(text, { offRecord: record.off });
  log.pending(item);
  if (!line.online) {
    log.waiting(t("waits"));
    if (help.matches(text)) help.pin();
    return;
  }
  // Online, but nobody answers: danger must not wait for a server that hangs.
  setTimeout(() => {
    if (outbox.items.some((waiting) => waiting.client_id === item.client_id) && help.matches(text)) help.pin();
  }, UNHEARD_MS);
}

line.addEventListener("frame", ({ detail }) => on[detail.type]?.(detail));
line.addEventListener("lost", ({ detail: { code } }) => {
  if (code === TOO_LARGE) backToBox();
  outbox.lost();
  log.thinking(false);
  face.thinking(false);
  composer.streaming = false;
});
line.addEventListener("state", ({ detail: { state, words } }) => {
  const node = at("state");
  node.dataset.state = state;
  node.textContent = t(`short_${state}`);
  const alone = state === "online" || state === "connecting";
  at("note").textContent = alone ? "" : words;
  if (at("signin")) at("signin").hidden = state !== "signed_out";
  at("reload").hidden = state !== "closed";
  log.waiting(state === "online" ? "" : t("waits"));
});
composer.addEventListener("say", ({ detail }) => say(detail.text));
composer.addEventListener("stop", () => turn && line.send({ type: "stop", turn }));
composer.addEventListener("edit", ({ detail: { message, text } }) => {
  const node = log.byId(message);
  const [was, off] = [log.isOffRecord(node), record.off];
  if (!node || !line.send({ type: "edit", message, text, ...(off && { off_record: true }) })) {
    composer.restore(text);
    return;
  }
  const before = log.text(node);
  const later = log.replacing(log.after(node));
  log.setText(node, text);
  log.offRecord(node, was || off);
  change = {
    asked: node,
    drop: later.drop,
    back: () => {
      later.back();
      log.setText(node, before);
      log.offRecord(node, was);
      composer.restore(text);
    },
  };
  log.thinking(true);
  face.thinking(true);
});
log.addEventListener("menu", ({ detail }) => messageMenu({
  ...detail, log, line, composer, busy: Boolean(turn),
  again: (node) => {
    if (!line.send({ type: "again", turn: node.dataset.turn })) return;
    change = { ...log.replacing([node]), asked: log.last("user") };
    log.thinking(true);
    face.thinking(true);
  },
}));
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]") && help.open()) event.preventDefault();
});

// The on-screen keyboard of phones that don't resize the page for it.
const view = window.visualViewport;
view?.addEventListener("resize", () => {
  const covered = innerHeight - view.height > 80 && view.scale === 1;
  document.body.style.height = covered ? `${view.height}px` : "";
  if (chip.hidden) log.bottom();
});

const opener = at("menu-button");
const menu = at("menu");
opener.addEventListener("click", () => {
  menu.hidden = !menu.hidden;
  opener.setAttribute("aria-expanded", String(!menu.hidden));
  if (!menu.hidden) menu.querySelector("a, button").focus();
});
document.addEventListener("pointerdown", (event) => {
  if (!menu.hidden && !menu.contains(event.target) && !opener.contains(event.target)) opener.click();
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  opener.focus();
});

if (boot.pinned) {
  face.mood("serious");
  help.pin(undefined, { small: true });
}
composer.focus();
line.start();
