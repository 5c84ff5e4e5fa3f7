"""Work after the commit: functions by name. Ids in, never rows; twice is harmless.

Without REDIS_URL a thread of this process runs them; with it a Celery worker does (chatbot/celery.py, core/broker.py).
A job that was lost, with a process or with the broker, is found again by a sweep over rows: each app registers its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import close_old_connections, connections, transaction

from chatbot.core import broker, clock, metrics

log = structlog.get_logger()

Job = Callable[..., None]
Sweep = Callable[[], int]


@dataclass(frozen=True)
class _Task:
    name: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class _Sweep:
    every_s: float
    find: Sweep
    everywhere: bool


# A worker that swept within this time is there (the shortest sweep runs every minute).
SEEN_S = 180
_SEEN = "jobs:swept_at"
_jobs: dict[str, Job] = {}
_sweeps: dict[str, _Sweep] = {}


def job(name: str) -> Callable[[Job], Job]:
    """Register a job under its name."""

    def register(function: Job) -> Job:
        _jobs[name] = function
        return function

    return register


def sweep(name: str, *, every_s: float, everywhere: bool = False) -> Callable[[Sweep], Sweep]:
    """Register a sweep: finds rows whose work was lost, does it, and returns how many it found.

    `everywhere`: it refreshes what a process has in memory, so every process runs it for itself.
    """

    def register(function: Sweep) -> Sweep:
        _sweeps[name] = _Sweep(every_s, function, everywhere)
        return function

    return register


class _Runner(threading.Thread):
    """The in-process worker: one thread, a queue in memory, the sweeps. With a broker only the sweeps `everywhere`."""

    def __init__(self) -> None:
        super().__init__(name="abraco-jobs", daemon=True)
        self._queue: queue.Queue[_Task | None] = queue.Queue()
        self._next: dict[str, float] = {}

    def submit(self, task: _Task) -> None:
        self._queue.put(task)

    def finish(self, timeout: float) -> None:
        self._queue.put(None)
        self.join(timeout)

    def run(self) -> None:
        try:
            while True:
                try:
                    task = self._queue.get(timeout=1.0)
                except queue.Empty:
                    self._sweep_due()
                    continue
                if task is None:
                    return
                run_job(task.name, *task.ids)
                self._sweep_due()
        finally:
            connections.close_all()

    def _sweep_due(self) -> None:
        for name, known in _sweeps.items():
            ours = known.everywhere or not settings.REDIS_URL
            if ours and clock.monotonic() >= self._next.get(name, 0.0):
                self._next[name] = clock.monotonic() + known.every_s
                run_sweep(name)


_runner: _Runner | None = None
_waiting: list[_Task] = []
_drained_only = False


def run_job(name: str, *ids: str) -> bool:
    """Run one job now. A failure is logged without its content, and left for the sweep. True if it ran through."""
    close_old_connections()
    try:
        _jobs[name](*ids)
    except Exception as error:  # the worker outlives a broken job; the sweep tries it again
        log.error("job_failed", job=name, error=type(error).__name__)
        metrics.JOBS_FAILED.labels(name).inc()
        return False
    return True


def run_sweep(name: str) -> int:
    """Run one sweep now; a failing one is logged and tried again next time."""
    close_old_connections()
    try:
        found = _sweeps[name].find()
    except Exception as error:  # as in run_job
        log.error("sweep_failed", sweep=name, error=type(error).__name__)
        metrics.JOBS_FAILED.labels(name).inc()
        return 0
    metrics.SWEEP_FOUND.labels(name).inc(found)
    return found


def run_sweeps() -> int:
    """Every sweep once, now."""
    return sum(run_sweep(name) for name in _sweeps)


def sweeps_shared() -> dict[str, float]:
    """The sweeps that one process runs for all, with their seconds: Celery's beat asks for them."""
    return {name: known.every_s for name, known in _sweeps.items() if not known.everywhere}


def run_sweep_alone(name: str) -> int:
    """Run one sweep for all processes, unless another process is at it. Sweeps bear it all the same: a lock that is
    kept in Redis is a courtesy, not a promise."""
    lock = f"jobs:sweep:{name}"
    if not cache.add(lock, 1, timeout=60):
        return 0
    try:
        return run_sweep(name)
    finally:
        cache.delete(lock)
        cache.set(_SEEN, int(clock.now().timestamp()), timeout=SEEN_S * 5)


def worker_seen() -> bool:
    """Whether a worker swept lately."""
    at = cache.get(_SEEN)
    return isinstance(at, int) and clock.now().timestamp() - at < SEEN_S


def enqueue_after_commit(name: str, *ids: str) -> None:
    """Run the job once the transaction is committed. With neither broker nor running thread it waits for `drain`."""
    task = _Task(name, ids)
    transaction.on_commit(lambda: _hand_over(task))


def _hand_over(task: _Task) -> None:
    if settings.REDIS_URL and not _drained_only:
        broker.publish("abraco.job", task.name, list(task.ids))
    elif _runner is not None:
        _runner.submit(task)
    else:
        _waiting.append(task)


@contextmanager
def drained_only() -> Iterator[None]:
    """In the block jobs wait for `drain` here, broker or not: its database is nobody else's."""
    global _drained_only  # noqa: PLW0603  one switch a process
    _drained_only = True
    try:
        yield
    finally:
        _drained_only = False


def start() -> None:
    """Start the worker of this process (the server's lifespan does)."""
    global _runner  # noqa: PLW0603  one worker a process
    if _runner is None:
        _runner = _Runner()
        for task in _waiting:
            _runner.submit(task)
        _waiting.clear()
        _runner.start()


def stop(timeout: float = 10.0) -> None:
    """Finish what is queued and end the worker; let the broker have what it was not given yet."""
    global _runner  # noqa: PLW0603  see start
    if _runner is not None:
        _runner.finish(timeout)
        _runner = None
    broker.close()


def drain() -> int:
    """Run what waits, in this thread: for commands and tests, which have no worker. Number of jobs run."""
    done = 0
    while _waiting:
        task = _waiting.pop(0)
        run_job(task.name, *task.ids)
        done += 1
    return done


def forget_waiting() -> int:
    """Drop what waits, as a process that dies does; the sweeps find it again. Number dropped."""
    dropped = len(_waiting)
    _waiting.clear()
    return dropped
