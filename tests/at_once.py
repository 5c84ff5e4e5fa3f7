"""Work that begins in the same moment, each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(*works: Callable[[], T]) -> list[T | Exception]:
    """What came of each, in the order given: its result, or what it raised."""
    ready = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T | Exception:
        try:
            connections["default"].ensure_connection()  # opening one takes longer than most of the work
            ready.wait(timeout=30)
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))


def came(found: list[T | Exception]) -> list[T]:
    """The results. Whatever was raised is raised here."""
    for one in found:
        if isinstance(one, Exception):
            raise one
    return [one for one in found if not isinstance(one, Exception)]
