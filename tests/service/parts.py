"""The product at a school's size: PostgreSQL, Redis, a Celery worker with beat, two serving processes, one address."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.line import Line
from tests.browser.server import Server, environment
from tests.nursery import Started, nursery
from tests.service.ports import free_port
from tests.service.postgres import Postgres
from tests.service.redis import Redis


class Celery:
    """The worker, or beat: a process group of its own, so that it ends whole."""

    def __init__(self, folder: Path, name: str, app: str, *arguments: str) -> None:
        self._log, self._app, self._arguments = folder / f"{name}.log", app, arguments
        self.process: Started | None = None

    def start(self, changes: dict[str, str]) -> None:
        with self._log.open("ab") as log:
            self.process = nursery().start(
                "celery", "-A", self._app, *self._arguments, "-l", "INFO",
                environment=environment(self._log.parent, **changes), into=log, apart=True,
            )  # fmt: skip

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL as a power cut does, SIGTERM as a deploy does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                (self.process.send_signal if how is signal.SIGTERM else self._group)(how)
            self.process.wait(30)
            self.process = None

    def _group(self, how: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, how)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""


@dataclass
class Parts(Server):
    """`url` is the one address, `port` its port; `sides` are the two processes behind it, each a Server of its own.

    `start` what a test ended: it starts whatever does not run.
    """

    postgres: Postgres = field(kw_only=True)
    redis: Redis = field(kw_only=True)
    database: str = field(kw_only=True)
    sides: tuple[Server, ...] = field(init=False)
    worker: Celery = field(init=False)
    beat: Celery = field(init=False)
    address_line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.changes = {**self.changes, "DATABASE_URL": self.postgres.url(self.database), "REDIS_URL": self.redis.url}
        self.sides = tuple(self._side(name) for name in ("a", "b"))
        self.worker = Celery(
            self.folder, "worker", "chatbot.celery", "worker", "--pool", "threads", "--concurrency", "2"
        )
        schedule, self._pid_file = self.folder / "beat.schedule", self.folder / "beat.pid"
        arguments = ("-s", str(schedule), "--pidfile", str(self._pid_file))
        self.beat = Celery(self.folder, "beat", "tests.service.quick_beat", "beat", *arguments)
        self.address_line = Line(*(side.port for side in self.sides), port=self.port)

    def _side(self, name: str) -> Server:
        return Server(self.folder, free_port(), self.changes, log_name=f"server-{name}.log")

    def start(self) -> None:
        """Start what does not run, and wait until both processes answer."""
        for celery in (self.worker, self.beat):
            if celery.process is None or celery.process.poll() is not None:
                self._pid_file.unlink(missing_ok=True)
                celery.start(self.changes)
        for side in self.sides:
            if side.ending:
                side.stop()
        missing = [side for side in self.sides if side.process is None or side.process.poll() is not None]
        for side in missing:
            side.launch()
        for side in missing:
            side.wait()

    def stop(self) -> None:
        for side in self.sides:
            side.signal()
        for side in self.sides:
            side.stop()
        self.worker.end()
        self.beat.end()
        self.address_line.close()
        self.work_end()

    def kill(self) -> None:
        for side in self.sides:
            side.kill()

    def log(self) -> str:
        return "".join(side.log() for side in self.sides)

    def mend(self) -> None:
        """Everything runs, and is well."""
        if self.redis.process is None:
            self.redis.start()
        self.redis.well()
        if self.postgres.process is None:
            self.postgres.start()
        self.start()
        for side in self.sides:
            side.wait_for("database")

    def leases_run_out(self) -> None:
        """What fifteen seconds do to the turns of a process that was killed."""
        with self.postgres.connect(self.database) as connection:
            connection.execute("UPDATE chat_turn SET lease_until = '2020-01-01' WHERE lease_until IS NOT NULL")

    def minute_passes(self) -> None:
        """What a minute does to the locks of sweeps that a killed worker was at."""
        with self.redis.client as client:
            for key in client.scan_iter("*jobs:sweep:*"):
                client.delete(key)

    def worker_ready(self) -> None:
        """Wait until the worker takes jobs."""
        end = time.monotonic() + 60
        while " ready." not in self.worker.log():
            assert time.monotonic() < end, f"the worker did not start:\n{self.worker.log()[-2000:]}"
            time.sleep(0.1)
