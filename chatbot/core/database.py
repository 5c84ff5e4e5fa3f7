"""Database work of a turn: in a few threads of its own, which keep their connections warm."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation

from chatbot.core import clock

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8  # and so the most connections that turns of one process hold
IDLE_S = 60.0  # a connection that was idle so long may have been cut from the other side: it is opened anew


class _Pool:
    """Threads and the connections they opened. A visit is one piece of work in one of the threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="abraco-database")
        self._last = threading.local()
        self._broken = 0  # how often a connection broke: then the others, of other threads, are not trusted either
        self._opened: set[BaseDatabaseWrapper] = set()
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, self._visit, work)

    def _visit(self, work: Callable[[], T]) -> T:
        now = clock.monotonic()
        idle = now - getattr(self._last, "at", now) > IDLE_S
        if idle or getattr(self._last, "broken", self._broken) != self._broken:
            self._put_away(all_of_them=True)
        self._last.broken = self._broken
        try:
            return work()
        finally:
            self._last.at = now
            self._put_away(all_of_them=False)

    def _put_away(self, *, all_of_them: bool) -> None:
        """Close this thread's connections: all, or those that had an error."""
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred and not all_of_them:
                self._broken += 1
            if all_of_them or connection.errors_occurred:
                connection.close()
            with self._lock:
                self._opened.add(connection)

    def close(self) -> None:
        """Let what runs finish, then end the threads and close what they opened."""
        self._threads.shutdown(wait=True)
        for connection in self._opened:
            connection.inc_thread_sharing()  # its thread is gone
            connection.close()


_pool: _Pool | None = None
_guard = threading.Lock()


def _running() -> _Pool:
    global _pool  # noqa: PLW0603  one pool a process
    with _guard:
        if _pool is None:
            _pool = _Pool()
        return _pool


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run sync database work off the event loop.

    `database_sync_to_async` would do all turns of the process in one thread (five turns of two 0.2 s queries took
    2.0 s); a thread and a connection of its own for each piece of work costs more than the work.
    """
    language = translation.get_language()

    def in_language() -> T:
        # The active language does not come along with the context: asgiref hides it from a thread that did not set it.
        with translation.override(language):
            return work(*args, **kwargs)

    return await _running().run(functools.partial(contextvars.copy_context().run, in_language))


def database_close() -> None:
    """End the threads and close their connections (the server goes down, the database is another one from here on).
    The next visit makes fresh ones."""
    global _pool
    with _guard:
        closing, _pool = _pool, None
    if closing is not None:
        closing.close()
    close_pool = getattr(connections["default"], "close_pool", None)  # PostgreSQL's
    if close_pool is not None:
        close_pool()


def migrations_missing() -> int:
    """How many steps the tables are behind this version; 0 as well where the database can't be asked."""
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return 0
