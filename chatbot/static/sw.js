// Offline: the shell, the style, the scripts, and the help page. Chat data is never kept.
// Served from / (scope "/"). Names below are addresses, not words for people.
const CACHE = "abraco-shell-1";
const HELP = "/help/";
const LEAVE = "/leave/";
const SHELL = [
  HELP,
  "/static/abraco.css",
  "/static/js/theme.js",
  "/static/js/page.js",
  "/static/js/store.js",
  "/static/icons/app.svg",
  "/static/icons/help.svg",
  "/static/icons/leave.svg",
  "/static/icons/phone.svg",
  "/static/icons/text.svg",
  "/static/icons/web.svg",
  "/static/icons/lock.svg",
];

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await Promise.allSettled(SHELL.map((address) => cache.add(address)));
    // As nobody: for somebody signed in, opening this page is what locks the visit.
    const neutral = await fetch(LEAVE, { credentials: "omit" }).catch(() => null);
    if (neutral?.ok) await cache.put(LEAVE, neutral);
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name !== CACHE) await caches.delete(name);
    }
    await clients.claim();
  })());
});

/** The network first, so that nothing is stale; what is kept only when there is no network. */
async function fresh(request, keepAs) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.type === "basic" && !answer.redirected) await cache.put(keepAs, answer.clone());
    if (answer.status < 500) return answer;
    return (await cache.match(keepAs, { ignoreVary: true })) ?? answer;
  } catch (error) {
    const kept = await cache.match(keepAs, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

/** Any page: from the network; without one, the kept page, which for most is help: needed most right then. */
async function page(request, instead = HELP) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(instead, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith("/static/")) event.respondWith(fresh(request, address.pathname));
  else if (address.pathname === HELP) event.respondWith(fresh(request, HELP));
  else if (address.pathname === LEAVE) event.respondWith(page(request, LEAVE));
  else if (request.mode === "navigate") event.respondWith(page(request));
});
