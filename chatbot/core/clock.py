"""The one clock. Nothing else asks the system for the time, so tests and `chat --jsonl` can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

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
