// Runs before the first paint: the theme that this device chose, and the lock left by "leave quickly".
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("abraco.theme");
    if (["light", "dark", "black"].includes(theme)) root.dataset.theme = theme;
    const address = new URL(location.href);
    if (address.searchParams.has("unlocked")) {
      localStorage.removeItem("abraco.locked");
      address.searchParams.delete("unlocked");
      history.replaceState(null, "", address);
    }
    if (root.hasAttribute("data-private") && localStorage.getItem("abraco.locked")) root.dataset.locked = "";
  } catch {
    // No storage here (private mode): the device's own theme, and nothing to lock.
  }
})();
