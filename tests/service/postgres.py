"""A private PostgreSQL server on a free port, as an unprivileged user (it refuses root); a fresh database per use."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from tests.service.ports import free_port, not_installed

START_S = 30
USER = "abraco"
# Nothing here outlives the test run, so nothing has to survive a power cut.
OPTIONS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB",
    "max_connections": "120", "unix_socket_directories": "", "listen_addresses": "127.0.0.1",
    "log_min_messages": "error",
}  # fmt: skip


def _programs() -> Path:
    """The folder of the newest server installed. Debian keeps it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    in_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(in_path).parent if in_path else not_installed("postgresql")


def _somebody_else() -> str | None:
    """Who runs the server where the tests are root's; None: the one who runs the tests."""
    if os.getuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Postgres:
    """`start`, `stop` and `restart` as often as the test needs: what is in it stays until `end`."""

    def __init__(self, **options: str) -> None:
        self._options = {**OPTIONS, **options}
        self._programs = _programs()
        self._user = _somebody_else()
        # Not below pytest's own folder: only its owner may go there.
        self.folder = Path(tempfile.mkdtemp(prefix="abraco-postgres-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def _as(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def prepare(self) -> None:
        subprocess.run(
            [self._programs / "initdb", "-D", self.folder / "data", "-U", USER, "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"],
            cwd=self.folder, check=True, capture_output=True, timeout=120, **self._as(),
        )  # type: ignore[call-overload]  # fmt: skip

    def start(self, **options: str) -> None:
        """Serve; returns when it answers."""
        settings = [f"--{name}={value}" for name, value in {**self._options, **options}.items()]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", f"--port={self.port}", *settings],
                cwd=self.folder, stdout=log, stderr=log, **self._as(),
            )  # type: ignore[call-overload]  # fmt: skip
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError), self.connect("postgres"):
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'postgres.log').read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every connection at once, in order; SIGQUIT ends it as a crash does."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def restart(self, **options: str) -> None:
        self.stop()
        self.start(**options)

    def end(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, dbname=name, autocommit=True, connect_timeout=5
        )

    def database(self, template: str = "template1") -> str:
        """The name of a fresh database, a copy of another."""
        name = f"abraco_{next(self._numbers)}"
        self._do("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def dump(self, name: str, path: Path) -> None:
        """As an operator's backup does it: all of the database, as statements."""
        self._run("pg_dump", "--no-owner", "--dbname", self.url(name), "--file", str(path))

    def restored(self, path: Path) -> str:
        """The name of a fresh database with what was dumped."""
        name = self.database("template0")
        self._run("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", self.url(name), "--file", str(path))
        return name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._programs / program, *arguments], check=True, capture_output=True, timeout=120)

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _do(self, statement: str, *names: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]
