"""Work after the commit: functions by name, run by a thread of this process. Ids in, never rows; twice is harmless.

A job lost with the process is found again by a sweep over rows: each app registers its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import close_old_connections, connections, transaction

from chatbot.core import clock, metrics

log = structlog.get_logger()

Job = Callable[..., None]
Sweep = Callable[[], int]


@dataclass(frozen=True)
class _Task:
    name: str
    ids: tuple[str, ...]


_jobs: dict[str, Job] = {}
_sweeps: dict[str, tuple[float, Sweep]] = {}


def job(name: str) -> Callable[[Job], Job]:
    """Register a job under its name."""

    def register(function: Job) -> Job:
        _jobs[name] = function
        return function

    return register


def sweep(name: str, *, every_s: float) -> Callable[[Sweep], Sweep]:
    """Register a sweep: finds rows whose work was lost, does it, and returns how many it found."""

    def register(function: Sweep) -> Sweep:
        _sweeps[name] = (every_s, function)
        return function

    return register


class _Runner(threading.Thread):
    """The in-process worker: one thread, a queue in memory, and the sweeps."""

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
        for name, (every_s, _) in _sweeps.items():
            if clock.monotonic() >= self._next.get(name, 0.0):
                self._next[name] = clock.monotonic() + every_s
                run_sweep(name)


_runner: _Runner | None = None
_waiting: list[_Task] = []


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
        found = _sweeps[name][1]()
    except Exception as error:  # as in run_job
        log.error("sweep_failed", sweep=name, error=type(error).__name__)
        metrics.JOBS_FAILED.labels(name).inc()
        return 0
    metrics.SWEEP_FOUND.labels(name).inc(found)
    return found


def run_sweeps() -> int:
    """Every sweep once, now."""
    return sum(run_sweep(name) for name in _sweeps)


def enqueue_after_commit(name: str, *ids: str) -> None:
    """Run the job once the transaction is committed. Without a running worker it waits for `drain`."""
    task = _Task(name, ids)
    transaction.on_commit(lambda: _runner.submit(task) if _runner else _waiting.append(task))


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
    """Finish what is queued and end the worker."""
    global _runner  # noqa: PLW0603  see start
    if _runner is not None:
        _runner.finish(timeout)
        _runner = None


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
