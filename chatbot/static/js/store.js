// localStorage that never throws: where it is missing or full, things simply aren't kept.
const PREFIX = "abraco.";

export function read(name, fallback = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function remove(name) {
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was kept.
  }
}

/** Forget what anybody was typing on this device: it stands there in plain words. */
export function forgetDrafts() {
  forget(/^abraco\.draft\./);
}

/** Forget drafts and unsent messages of everybody on this device; the theme and the helplines stay. */
export function forgetPrivate() {
  forget(/^abraco\.(draft|outbox|record)\./);
}

function forget(names) {
  try {
    for (const key of Object.keys(localStorage)) {
      if (names.test(key)) localStorage.removeItem(key);
    }
  } catch {
    // Nothing was kept.
  }
}
