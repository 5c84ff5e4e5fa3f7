// While a copy is being made, the page looks for itself; without this it reloads.
const EVERY_MS = 1_500;

async function look() {
  const shown = document.querySelector("[data-export]");
  if (shown?.dataset.export !== "open") return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-export]");
    if (fresh && fresh.dataset.export !== "open") {
      shown.dataset.export = fresh.dataset.export;
      shown.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // No line just now: the next look may have one.
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
