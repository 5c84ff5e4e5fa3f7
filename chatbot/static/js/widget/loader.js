// Abraço on another site's page: one button, one frame, made when it is first opened. Needs no style and no connection
// of the page's policy, only this script's origin in script-src and frame-src. docs/widget.md tells how it is used.
(() => {
  "use strict";
  const tag = document.currentScript;
  const early = window.abraco;
  if (!tag || early?.here) return;
  const house = new URL(tag.src).origin;
  const { site, theme = "", side = "right", accent = "", label, locked: shut } = tag.dataset;
  const WORDS = {/* words */};
  const ANSWER_MS = 8_000;
  const ASK_MS = 15_000;
  const AGAIN_MS = 900;
  const ACCENTS = { honey: "#FFC73A", leaf: "#7FD1A8", sky: "#8FC1FF", coral: "#FF9E87", plum: "#C9A4F0", sand: "#DCC39A" };
  const lang = (tag.dataset.lang || document.documentElement.lang || navigator.language || "en").toLowerCase();
  const words = WORDS[lang] ?? WORDS[Object.keys(WORDS).find((name) => name.split("-")[0] === lang.split("-")[0])] ?? WORDS.en;
  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; font: 600 16px/1.3 ui-rounded, "SF Pro Rounded", "Nunito", "Segoe UI", system-ui, sans-serif; }
    .go { position: fixed; z-index: 2147483000; bottom: max(16px, env(safe-area-inset-bottom)); right: 16px; min-height: 52px; min-width: 52px;
      display: flex; align-items: center; gap: 8px; padding: 4px 18px 4px 8px; border: 2px solid #241F33; border-radius: 999px;
      background: var(--accent); color: #241F33; cursor: pointer; box-shadow: 0 6px 24px rgb(36 31 51 / 22%); }
    .go svg { width: 40px; height: 40px; }
    .go[hidden] { display: none; }
    .left { right: auto; left: 16px; }
    .badge { min-width: 24px; padding: 2px 6px; border-radius: 999px; background: #B93A22; color: #FFFFFF; text-align: center; font-size: 14px; }
    .badge[hidden] { display: none; }
    :focus-visible { outline: 3px solid #2457A6; outline-offset: 2px; box-shadow: 0 0 0 2px #FFFFFF; }
    dialog { position: fixed; z-index: 2147483001; inset: auto 16px 84px auto; width: 400px; height: min(640px, calc(100vh - 104px));
      max-width: none; max-height: none; margin: 0; padding: 0; border: 1px solid #8A8199; border-radius: 20px; overflow: hidden;
      background: var(--paper); color: var(--ink); box-shadow: 0 12px 40px rgb(36 31 51 / 28%); }
    dialog.left { inset: auto auto 84px 16px; }
    iframe { display: block; width: 100%; height: 100%; border: 0; background: transparent; }
    .says { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 16px; padding: 24px; text-align: center; }
    .says[hidden] { display: none; }
    .says p { margin: 0; font-weight: 400; }
    .says a, .says button { min-height: 44px; display: inline-flex; align-items: center; padding: 0 16px; border: 2px solid var(--edge); border-radius: 12px; background: transparent; color: var(--ink); text-decoration: none; cursor: pointer; }
    .says [hidden] { display: none; }
    .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    :host, dialog { --paper: #FFFAF0; --ink: #241F33; --edge: #8A8199; }
    .dark dialog, dialog.dark { --paper: #1A1724; --ink: #F6F1E7; --edge: #8E85A3; }
    @media (prefers-color-scheme: dark) { dialog:not(.light) { --paper: #1A1724; --ink: #F6F1E7; --edge: #8E85A3; } }
    @media (prefers-reduced-motion: no-preference) { dialog[open] { animation: rise 160ms ease-out; } @keyframes rise { from { opacity: 0; translate: 0 8px; } } }
    @media (max-width: 599px), (max-height: 459px) { dialog, dialog.left { inset: 0; width: 100%; height: 100%; height: 100dvh; border: 0; border-radius: 0; } }
    @media (forced-colors: active) { .go, .badge { border: 2px solid ButtonText; } }
    @media print { .go, dialog { display: none; } }`;

  function make(name, attributes, ...children) {
    const svg = name === "svg" || name === "path" || name === "circle";
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const line = (d, width = 4, colour = "#241F33") => make("path", { d, fill: "none", stroke: colour, "stroke-width": width, "stroke-linecap": "round" });
  const colour = ACCENTS[accent] ?? ACCENTS.honey;
  const arms = ["M25 60C13 58 7 46 9 31", "M71 60C83 58 89 46 87 31"];
  const face = make("svg", { viewBox: "0 0 96 88", "aria-hidden": "true" },
    ...arms.map((d) => line(d, 13)), ...arms.map((d) => line(d, 6, "#FFFFFF")),
    make("circle", { cx: 48, cy: 48, r: 29, fill: "#FFFFFF", stroke: "#241F33", "stroke-width": 4 }),
    make("circle", { cx: 38, cy: 43, r: 4, fill: "#241F33" }), make("circle", { cx: 58, cy: 43, r: 4, fill: "#241F33" }),
    line("M38 55c4 7 16 7 20 0"));
  const badge = make("span", { class: "badge", hidden: "", "aria-hidden": "true" });
  const heard = make("span", { class: "sr", role: "status" });
  const where = side === "left" ? " left" : "";
  const button = make("button", { type: "button", class: `go${where}`, "aria-haspopup": "dialog", "aria-expanded": "false" },
    face, make("span", {}, label || words.label), badge);
  const sentence = make("p", { role: "status" }, words.wait);
  const again = make("button", { type: "button", hidden: "" }, words.again);
  const close = make("button", { type: "button" }, words.close);
  const says = make("div", { class: "says" }, sentence, again,
    make("a", { href: `${house}/help/`, target: "_blank", rel: "noopener" }, words.help), close);
  const dialog = make("dialog", { class: `${theme === "black" ? "dark" : theme}${where}`, "aria-label": words.title }, says);
  const holder = make("div", { "data-abraco": "" });
  const root = holder.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(make("style", tag.nonce ? { nonce: tag.nonce } : {}, STYLE));
  }
  holder.style.setProperty("--accent", colour);
  root.append(button, dialog, heard);

  const events = { ready: [], open: [], close: [], unread: [], left: [], error: [] };
  let frame = null;
  let alive = false;
  let timer = 0;
  let left = shut !== undefined;
  let escaped = -Infinity;
  let source = null;
  let spent = false;
  let wanted = false;

  function emit(name, detail) {
    for (const act of events[name]) {
      try {
        act(detail);
      } catch (error) {
        setTimeout(() => { throw error; });
      }
    }
  }

  const once = (token) => () => {
    source = null;
    spent = true;
    return token;
  };
  if (tag.dataset.identityUrl) {
    source = async () => {
      const answer = await fetch(tag.dataset.identityUrl, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) throw new Error(`identity: ${answer.status}`);
      return (await answer.text()).trim();
    };
  } else if (tag.dataset.identity) source = once(tag.dataset.identity);

  /** To the frame, and to nobody who may have taken its place. */
  function tell(type, more = {}) {
    frame?.contentWindow?.postMessage({ abraco: 1, type, ...more }, house);
  }

  async function identify() {
    wanted = true;
    if (!source) {
      setTimeout(() => {
        if (!wanted) return;
        wanted = false;
        tell("no_identity");
        emit("error", { code: "no_identity", detail: "No (further) identity was given: data-identity-url or abraco('identify', function)." });
      }, spent ? 0 : ASK_MS);
      return;
    }
    try {
      const token = await source();
      wanted = false;
      tell("identity", { token: String(token), once: spent && !source });
    } catch (error) {
      wanted = false;
      tell("no_identity");
      emit("error", { code: "no_identity", detail: String(error) });
    }
  }

  function unread(count) {
    badge.hidden = !count;
    badge.textContent = count > 9 ? "9+" : String(count);
    heard.textContent = count ? words.fresh.replace("{n}", count) : "";
    emit("unread", count);
  }

  function say(text, retry) {
    clearTimeout(timer);
    sentence.textContent = text;
    again.hidden = !retry;
    says.hidden = false;
  }

  function put() {
    frame?.remove();
    alive = false;
    const address = new URL(`/widget/v1/frame/${encodeURIComponent(site)}/`, house);
    address.search = new URLSearchParams({ origin: location.origin, lang, theme, accent, ...(left && { locked: 1 }) });
    frame = make("iframe", { src: address.href, title: words.title, allow: "clipboard-write" });
    dialog.append(frame);
    frame.hidden = true;
    frame.style.display = "none";
    say(words.wait);
    timer = setTimeout(() => {
      frame?.remove();
      frame = null;
      say(navigator.onLine === false ? words.offline : words.wrong, true);
      emit("error", { code: "no_answer", detail: `The frame didn't answer. Is ${location.origin} among the site's origins, and is ${house} in frame-src?` });
    }, ANSWER_MS);
  }

  function open() {
    if (dialog.open) return;
    if (!frame) put();
    if (matchMedia("(max-width: 599px), (max-height: 459px)").matches) dialog.showModal();
    else dialog.show();
    button.setAttribute("aria-expanded", "true");
    if (alive) focusIn();
    else close.focus();
    emit("open");
  }

  function focusIn() {
    frame.focus();
    tell("shown");
  }

  function shutIt() {
    if (!dialog.open) return;
    dialog.close();
    button.setAttribute("aria-expanded", "false");
    button.focus();
    tell("hidden");
    emit("close");
  }

  /** Left quickly: nothing of the chat stays in this page, and what comes back is locked. */
  function leave() {
    left = true;
    frame?.remove();
    frame = null;
    unread(0);
    shutIt();
    emit("left");
  }

  addEventListener("message", ({ source: from, origin, data }) => {
    if (!frame || from !== frame.contentWindow || origin !== house || data?.abraco !== 1) return;
    if (data.type === "hello") {
      clearTimeout(timer);
      alive = true;
      says.hidden = true;
      frame.hidden = false;
      frame.style.display = "";
      if (dialog.open) focusIn();
    }
    if (data.type === "identify") identify();
    if (data.type === "ready") emit("ready");
    if (data.type === "unread") unread(Number(data.count) || 0);
    if (data.type === "close") {
      if (data.by === "escape") escaped = performance.now();
      shutIt();
    }
    if (data.type === "left") leave();
    if (data.type === "error") {
      console.warn(`Abraço: ${data.code}: ${data.detail}`);
      emit("error", { code: data.code, detail: data.detail });
    }
  });

  button.addEventListener("click", () => (dialog.open ? shutIt() : open()));
  close.addEventListener("click", shutIt);
  again.addEventListener("click", () => { put(); close.focus(); });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    escaped = performance.now();
    shutIt();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    if (performance.now() - escaped < AGAIN_MS) leave();
    else if (dialog.open && root.activeElement) {
      escaped = performance.now();
      shutIt();
    }
  });

  const does = {
    open,
    close: shutIt,
    identify(who) {
      source = typeof who === "function" ? who : once(who);
      if (wanted) identify();
    },
    /** Somebody else is signed in on this page now, or nobody: nothing of the one before stays in it. */
    reset() {
      source = null;
      spent = wanted = false;
      frame?.remove();
      frame = null;
      unread(0);
      shutIt();
    },
    on(name, act) {
      events[name]?.push(act);
    },
  };
  window.abraco = (what, ...rest) => does[what]?.(...rest);
  window.abraco.here = true;
  for (const call of early?.q ?? []) window.abraco(...call);
  const join = () => document.body.append(holder);
  if (document.body) join();
  else addEventListener("DOMContentLoaded", join);
})();
