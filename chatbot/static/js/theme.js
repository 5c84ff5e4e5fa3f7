// Runs before the first paint: the theme that this device chose, and the lock left by "leave quickly".
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("abraco.theme");
    if (["light", "dark", "black"].includes(theme)) root.dataset.theme = theme;
    // The server says so once the password was right; the lock that counts is its own.
    if (/(^|; )unlocked=1/.test(document.cookie)) {
      localStorage.removeItem("abraco.locked");
      document.cookie = "unlocked=; path=/; max-age=0; samesite=lax";
    }
    // Left quickly in this tab: going back leads out again, whatever page was there. An address that is typed doesn't.
    if (sessionStorage.getItem("abraco.left")) {
      if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") root.dataset.locked = root.dataset.left = "";
      else sessionStorage.removeItem("abraco.left");
    }
    if (root.hasAttribute("data-private") && localStorage.getItem("abraco.locked")) root.dataset.locked = "";
  } catch {
    // No storage here (private mode): the device's own theme, and nothing to lock.
  }
})();
