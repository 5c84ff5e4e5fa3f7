// On every page: leave quickly, the lock after it, the theme choice, the offline worker.
import { forgetDrafts, forgetPrivate, remove } from "./store.js";

const body = document.body;
const root = document.documentElement;
const AGAIN_MS = 4_000;

function leave() {
  try {
    localStorage.setItem("abraco.locked", "1");
    sessionStorage.setItem("abraco.left", "1");
  } catch {
    // Without storage there is nothing to lock with; leaving still works.
  }
  root.dataset.locked = "";
  dispatchEvent(new Event("abraco:left")); // the box gives up what was typed before it would keep it once more
  forgetDrafts();
  location.replace(body.dataset.leave);
  // Still here: the way was cut short by something else that was loading.
  setTimeout(() => location.replace(body.dataset.leave), AGAIN_MS);
}

/** Back, after leaving quickly in this tab: out again (theme.js has hidden the page). */
function ledOut(event) {
  let left = "left" in root.dataset;
  try {
    left ||= event?.persisted === true && sessionStorage.getItem("abraco.left") !== null;
  } catch {
    // No storage: nobody left from here.
  }
  if (!left) return;
  root.dataset.locked = "";
  location.replace(body.dataset.leave);
}
ledOut();
addEventListener("pageshow", ledOut);

let lastEscape = -Infinity;
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.repeat) return;
  if (event.timeStamp - lastEscape < 900) leave();
  lastEscape = event.timeStamp;
}, { capture: true });

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-leave-now]")) {
    event.preventDefault();
    leave();
  }
});

function cover() {
  const sheet = document.querySelector("[data-cover]");
  if (!sheet || !root.hasAttribute("data-private")) return;
  let locked = false;
  try {
    locked = localStorage.getItem("abraco.locked") !== null;
  } catch {
    locked = false;
  }
  sheet.hidden = !locked;
  if (locked) {
    root.dataset.locked = "";
    dispatchEvent(new Event("abraco:left")); // left in another tab
    sheet.querySelector("a").focus();
  } else if (!("left" in root.dataset)) {
    delete root.dataset.locked;
  }
}
cover();
addEventListener("pageshow", cover);
addEventListener("storage", cover);

for (const form of document.querySelectorAll("[data-sign-out]")) {
  form.addEventListener("submit", () => {
    forgetPrivate();
    remove("locked");
  });
}
if (document.querySelector("[data-signed-in-fresh]")) remove("locked");

for (const choice of document.querySelectorAll("[data-theme-choice]")) {
  let now = "auto";
  try {
    now = localStorage.getItem("abraco.theme") ?? "auto";
  } catch {
    now = "auto";
  }
  choice.checked = choice.value === now;
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem("abraco.theme", choice.value);
    } catch {
      // Chosen for this page only.
    }
    if (choice.value === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice.value;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.querySelector("span:last-child").textContent = button.dataset.done;
  });
}

// A password can be looked at; it is one again before the form goes, so that no browser keeps it among plain words.
for (const button of document.querySelectorAll("[data-show]")) {
  const field = button.parentElement.querySelector("input");
  const show = (on) => {
    field.type = on ? "text" : "password";
    button.setAttribute("aria-pressed", String(on));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  addEventListener("abraco:left", () => show(false));
  addEventListener("pagehide", () => show(false));
}

for (const faceSvg of document.querySelectorAll("[data-face][data-wave]")) {
  setTimeout(() => faceSvg.classList.add("hug"), 300);
}

// The help page stands in for any page while there is no network: it says so then.
const offline = document.querySelector("[data-offline]");
if (offline) {
  const tell = () => {
    offline.hidden = navigator.onLine && location.pathname === new URL(body.dataset.helpPage, location.href).pathname;
  };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  tell();
}

if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register(body.dataset.worker, { scope: "/" }).catch(() => {
    // Not served here: the pages work the same, only not offline.
  });
}
