"""The real server as a process of its own, and a browser in front of it: sign-in over HTTP, then the socket."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.nursery import ROOT, Started, nursery
from tests.process.told import FROM_FILE, SCRIPT

START_S = 60
PASSWORD = "abraco-demo"
SAY = "how was your day"
# Tables, a key, the demo's people: the deal is confirmed, and whatever the hour of the run, nobody is in quiet hours.
READY = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("master_key", make=True)
call_command("seed_demo")
from chatbot.accounts.models import TimeLimits, User
from chatbot.accounts.services import deal_confirm
for person in User.objects.filter(role="teen"):
    deal_confirm(person)
    TimeLimits.objects.create(person=person, quiet_from="12:00", quiet_to="12:00", minutes_a_day=1440)
"""


class Server:
    """One installation in a folder of its own; `start` and `kill` as often as the test needs. bare: its server begins
    from nothing, as an operator's does, and not from the nursery."""

    def __init__(self, folder: Path, *, bare: bool = False, **environment: str) -> None:
        self.folder, self._bare = folder, bare
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        names = ("ABRACO_", "DJANGO_", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        self.environment = {**kept, "ABRACO_VAR": str(folder), "DEBUG": "1", "ABRACO_ENGINE": FROM_FILE, **environment}
        self.process: subprocess.Popen[bytes] | Started | None = None

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = nursery().run("manage", *arguments, environment={**self.environment, **environment}, seconds=120)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def prepare(self) -> None:
        done = self.manage("shell", "-c", READY)
        assert done.returncode == 0, done.stderr[-2000:]

    def start(self, script: list[object]) -> None:
        """Serve, with an engine that says this; returns when it answers. If it serves already, it says this now."""
        (self.folder / SCRIPT).write_text(json.dumps(script), encoding="utf-8")
        if self.process is not None and self.process.poll() is None:
            return
        log = (self.folder / "server.log").open("ab")
        asked = (
            "uvicorn", "chatbot.asgi:application", "--host", "127.0.0.1", "--port", str(self.port),
            "--ws-max-size", "1048576", "--log-level", "warning",
        )  # fmt: skip
        with log:
            if self._bare:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", *asked], cwd=ROOT, env=self.environment, stdout=log, stderr=log
                )
            else:
                self.process = nursery().start(*asked, environment=self.environment, into=log)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log()[-3000:]}")

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """As a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def terminate(self) -> int:
        """As a deploy does; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def leases_run_out(self) -> None:
        """What fifteen seconds do to the turn of a process that was killed."""
        self._rows("UPDATE chat_turn SET lease_until = '2020-01-01 00:00:00' WHERE lease_until IS NOT NULL")

    def _rows(self, statement: str) -> None:
        database = sqlite3.connect(self.folder / "abraco.sqlite3", timeout=10)
        with database:
            database.execute(statement)
        database.close()


class Browser:
    """Somebody signed in over HTTP, with a socket."""

    def __init__(self, server: Server, stack: ExitStack, name: str = "maya") -> None:
        """`stack` closes the sockets when the test is over."""
        self.server, self.stack = server, stack
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        page = self._read("/account/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        fields = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        self._read("/account/login/", fields)
        assert any(cookie.name == "sessionid" for cookie in self.cookies), page[-500:]
        self.conversation: str | None = None

    def _read(self, path: str, fields: Mapping[str, str] | None = None) -> str:
        request = urllib.request.Request(self.server.address + path, headers={"Referer": self.server.address + path})
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        try:
            with self.opener.open(request, data, timeout=30) as answer:
                return str(answer.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            return str(error.read().decode("utf-8", "replace"))

    def connect(self, *, seen: Mapping[str, object] | None = None, hello: bool = True) -> ClientConnection:
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        opening = connect(
            f"ws://127.0.0.1:{self.server.port}/ws/chat",
            subprotocols=["abraco.v1"],  # type: ignore[list-item]  # a plain string is one
            additional_headers={"Cookie": cookie, "Origin": self.server.address},
            max_size=None,
            open_timeout=20,
        )
        wire = self.stack.enter_context(opening)
        if hello:
            first: dict[str, object] = {"type": "hello"}
            if self.conversation is not None:
                first["conversation"] = self.conversation
            if seen is not None:
                first["seen"] = seen
            wire.send(json.dumps(first))
            self.ready = get(wire)
            assert self.ready["type"] == "ready", self.ready
            self.conversation = self.ready["conversation"]
        return wire


def get(wire: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(wire.recv(timeout=30))
    return frame


def until(wire: ClientConnection, kind: str) -> list[dict[str, Any]]:
    frames = [get(wire)]
    while frames[-1]["type"] != kind:
        frames.append(get(wire))
    return frames


def say(wire: ClientConnection, text: str = SAY, client_id: uuid.UUID | None = None) -> uuid.UUID:
    sent = client_id or uuid.uuid4()
    wire.send(json.dumps({"type": "say", "client_id": str(sent), "text": text}))
    return sent
