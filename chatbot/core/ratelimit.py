"""Limits by key over a sliding minute, in the shared cache."""

from __future__ import annotations

import contextlib

from django.core.cache import cache

from chatbot.core import clock


def allowed(key: str, *, most: int, per_s: int, counts: int = 1) -> int:
    """0 when this event may pass (it is counted then), else the seconds until the next may.

    Counts in windows of `per_s` seconds; one event may count for several. While a shared cache is away each process
    counts for itself: talking matters more than the count.
    """
    now = clock.now().timestamp()
    name = _name(key, per_s, now)
    cache.add(name, 0, timeout=per_s * 2)
    try:
        count = cache.incr(name, counts)
    except ValueError:  # evicted between the two calls
        return 0
    return 0 if count <= most else max(1, int((now // per_s + 1) * per_s - now) + 1)


def uncount(key: str, *, per_s: int, counts: int = 1) -> None:
    """Take back what `allowed` has counted, where only what fails counts.

    Counted first and taken back later: so many tries in the same moment pass no limit together.
    """
    with contextlib.suppress(ValueError):  # nothing was counted in this window
        cache.incr(_name(key, per_s, clock.now().timestamp()), -counts)


def _name(key: str, per_s: int, now: float) -> str:
    return f"rate:{key}:{int(now // per_s)}"
