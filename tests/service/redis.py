"""A private redis-server on a free port, which writes nothing to the disk unasked, and what can happen to it."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import redis

from tests.service.ports import free_port, not_installed

START_S = 20


class Redis:
    """`start`, `kill` and start again as often as the test needs: it forgets everything in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5, decode_responses=False)

    def start(self) -> None:
        program = shutil.which("redis-server") or not_installed("redis-server")
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                 "--dir", str(self.folder)],
                stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(redis.RedisError), self.client as client:
                if client.ping():
                    return
            time.sleep(0.02)
        raise AssertionError(f"redis-server did not start:\n{(self.folder / 'redis.log').read_text()[-2000:]}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    kill = stop

    def full(self) -> None:
        """No byte is left, and nothing old is thrown out: every write is refused."""
        self._set("maxmemory-policy", "noeviction")
        self._set("maxmemory", "1")

    def read_only(self) -> None:
        """As after a failover: this one is a replica now, of something that can't be reached."""
        with self.client as client:
            client.replicaof("127.0.0.1", str(free_port()))

    def well(self) -> None:
        """Neither full nor read-only any more."""
        self._set("maxmemory", "0")
        with self.client as client:
            client.replicaof("no", "one")

    def flush(self) -> None:
        with self.client as client:
            client.flushall()

    def _set(self, name: str, value: str) -> None:
        with self.client as client:
            client.config_set(name, value)

    def saved(self) -> bytes:
        """Its own backup: the file that SAVE writes."""
        with self.client as client:
            client.config_set("rdbcompression", "no")
            client.save()
        path = self.folder / "dump.rdb"
        content = path.read_bytes()
        path.unlink()
        return content

    def dump(self) -> bytes:
        """Every key with what is in it, as bytes: to look for a word in."""
        found = bytearray()
        with self.client as client:
            databases = int(client.config_get("databases")["databases"])
        for number in range(databases):
            with redis.Redis(port=self.port, db=number, socket_timeout=5) as client:
                for key in client.scan_iter(count=1000):
                    found += key + b"=" + (client.dump(key) or b"") + b"\n"
        return bytes(found)
