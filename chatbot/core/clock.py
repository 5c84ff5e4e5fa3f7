"""The one clock. Nothing else asks the system for the time, so tests and `chat --jsonl` can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import TZPATH, available_timezones

_shift = timedelta(0)


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), tz=UTC) + _shift


def monotonic() -> float:
    """Seconds for measuring how long something took; never moved."""
    return time.monotonic()


@cache
def zones() -> frozenset[str]:
    """The names of all time zones. Finding them opens six hundred files: a hundredth of a second."""
    return frozenset(available_timezones())


@cache
def zones_current() -> tuple[str, ...]:
    """Those that a place has today, by name: without the older names that stand for the same clocks. All that look
    like a place, where the machine has no list of them."""
    for folder in TZPATH:
        try:
            rows = Path(folder, "zone.tab").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        named = {row.split("\t")[2] for row in rows if row.count("\t") >= 2 and not row.startswith("#")}
        if found := named & zones():
            return tuple(sorted(found))
    return tuple(sorted(name for name in zones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))))


def move_to(moment: datetime) -> None:
    """Shift the clock so that it is `moment` (aware) now. For the terminal and tests only."""
    global _shift  # noqa: PLW0603  one process-wide shift is the point of this module
    if moment.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    _shift = moment - datetime.fromtimestamp(time.time(), tz=UTC)


def reset() -> None:
    """Undo every `move_to`."""
    global _shift  # noqa: PLW0603  see move_to
    _shift = timedelta(0)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Run the block as if it began at `moment`."""
    global _shift  # noqa: PLW0603  see move_to
    before = _shift
    move_to(moment)
    try:
        yield
    finally:
        _shift = before
