// The open queue looks every minute whether somebody waits who didn't before, and says so. Nothing that is read moves.
const EVERY_MS = 60_000;
const TRIES = 3;
const said = document.querySelector("[data-news]");
const title = document.title;
let failed = 0;

/** Of each person in the list how grave it is, and how many others of theirs wait. */
function waiting(page) {
  const rows = [...page.querySelectorAll("[data-who]")];
  return new Map(rows.map(({ dataset }) => [dataset.who, [Number(dataset.severity), Number(dataset.more)]]));
}

const known = waiting(document);

function isNew([who, [severity, more]]) {
  const before = known.get(who);
  return !before || severity > before[0] || more > before[1];
}

function tell(words, mark) {
  if (said.textContent === words) return;
  const link = document.createElement("a");
  link.className = "btn btn-main";
  link.href = location.href;
  link.textContent = words;
  said.replaceChildren(link);
  document.title = `${mark} ${title}`;
}

function quiet() {
  said.replaceChildren();
  document.title = title;
}

async function look() {
  // The worker has nothing in store for this page: without a line this throws.
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return tell(said.dataset.out, "(?)"); // signed out, or the second key again
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = [...waiting(page)].some(isNew);
    if (news) tell(said.dataset.new, "(!)");
    else if (failed >= TRIES) quiet();
    failed = 0;
  } catch {
    failed += 1;
    if (failed >= TRIES && said.textContent !== said.dataset.new) tell(said.dataset.cut, "(?)");
  }
  return setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
