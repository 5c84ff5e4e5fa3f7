"""The product in a process of its own, with people in its database: what the browser tests talk to."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ready import Ready
from tests.browser.told import TOLD
from tests.nursery import Started, nursery

PASSWORD = "abraco-demo"
START_S = 60
# Made with the cast: `somebody()` hands them out one by one, so that no two tests meet in one chat.
CROWD = tuple(f"teen{number:02}" for number in range(1, 71))

# Runs in the server's own settings: people who confirmed the deal, without quiet hours, whatever the time.
PEOPLE = """
import django, json, sys
django.setup()
from datetime import time
from chatbot.accounts import bands, services
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.core import clock
from companion.profile.services import companion_shape
from functools import cache
from django.contrib.auth.hashers import make_password
hashed = cache(make_password)  # made to be slow
for wanted in json.loads(sys.argv[1]):
    person = User.objects.filter(username=wanted["name"]).first()
    if person is None:
        today = clock.now().date()
        person = User(username=wanted["name"])
        person.password = hashed(wanted["password"])
        age = bands.band_from_birth(month=today.month - 1 or 1, year=today.year - wanted["age"], today=today)
        services.person_place(person, age=age, country=wanted["country"], region=wanted["region"], time_zone="UTC",
                              language=wanted["language"])
        person.save()
    if wanted["deal"]:
        services.deal_confirm(person)
    TimeLimits.objects.update_or_create(
        person=person, defaults={"quiet_from": time(12), "quiet_to": time(12), "minutes_a_day": 1440})
    if wanted["companion"]:
        companion_shape(owner_id=person.id, name=wanted["companion"], colour="honey", playful=50, curious=50, gentle=50)
"""

# All of it: tables, the demo's people, and those.
CAST = f"""
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("seed_demo")
{PEOPLE}"""


def environment(folder: Path, **changes: str) -> dict[str, str]:
    # Where the tests themselves run on other parts, these don't: what they run on is named in `changes`.
    own = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return {
        **own,
        "DJANGO_SETTINGS_MODULE": "tests.browser.quick",
        "DEBUG": "1",
        "ABRACO_HTTPS": "0",
        "ABRACO_VAR": str(folder),
        "ABRACO_ENGINE": TOLD,
        "PYTHONWARNINGS": "ignore",
        **changes,
    }


def run(folder: Path, *arguments: str, **changes: str) -> str:
    done = nursery().run(*arguments, environment=environment(folder, **changes))
    if done.returncode:
        pytest.fail(f"{' '.join(arguments[:3])} failed:\n{done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


def wanted(name: str, **changes: Any) -> dict[str, Any]:
    person = {
        "name": name, "age": 15, "country": "US", "region": "US-CA", "language": "en", "password": PASSWORD,
        "deal": True, "companion": "Pixel",
    }  # fmt: skip
    return {**person, **changes}


def cast() -> list[dict[str, Any]]:
    """The fixed cast, as PEOPLE takes it."""
    return [wanted("maya"), wanted("leo", age=17), wanted("stranger", age=16), *map(wanted, CROWD)]


@dataclass
class Server:
    """The product in a process of its own. `url` has no slash at its end."""

    folder: Path
    port: int
    changes: dict[str, str] = field(default_factory=dict)
    process: Started | None = None
    log_name: str = "server.log"
    ending: bool = False
    ready: Ready | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it, and don't wait."""
        log = (self.folder / self.log_name).open("ab")
        with log:
            self.process = nursery().start(
                "uvicorn", "chatbot.asgi:application", "--host", "127.0.0.1", "--port", str(self.port),
                "--ws-max-size", "1048576", "--log-level", "warning",
                environment=environment(self.folder, **self.changes), into=log,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers."""
        assert self.process is not None
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if urllib.request.urlopen(f"{self.url}/health", timeout=2).status == 200:
                    return
            time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{self.log()[-2000:]}")

    def wait_for(self, part: str) -> None:
        """Until this process has the part again: after a fault it tries less and less often."""
        until, seen = time.monotonic() + START_S, {}
        while time.monotonic() < until:
            try:
                answer = urllib.request.urlopen(f"{self.url}/ready", timeout=5)
            except urllib.error.HTTPError as error:
                answer = error  # something else is not ready
            with answer:
                seen = json.load(answer)["parts"]
            if seen[part] == "ok":
                return
            time.sleep(0.2)
        pytest.fail(f"{self.log_name} did not get its {part} back: {seen}")

    def signal(self) -> None:
        """Ask it to end, as an operator would, and don't wait."""
        if self.process is not None:
            self.process.terminate()
            self.ending = True

    def stop(self) -> None:
        """End it as an operator would."""
        self._end("terminate")
        self.work_end()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end("kill")

    def _end(self, how: str) -> None:
        if self.process is None:
            return
        getattr(self.process, how)()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process, self.ending = None, False

    def log(self) -> str:
        return (self.folder / self.log_name).read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str) -> str:
        """A management command in this server's settings; what it printed."""
        return self._work(None, *arguments)

    def python(self, code: str, *arguments: str) -> str:
        """Some Python in this server's settings; what it printed. Starts with `import django; django.setup()`."""
        return self._work(code, *arguments)

    def _work(self, code: str | None, *arguments: str) -> str:
        now = environment(self.folder, **self.changes)
        if self.ready is None:
            self.ready = Ready(now)
        done = self.ready.run(code, *arguments, environment=now)
        if done["status"]:
            pytest.fail(f"{' '.join(arguments[:3]) if code is None else code} failed:\n{done['err'][-2000:]}")
        return str(done["out"])

    def work_end(self) -> None:
        """End the process that `manage` and `python` started."""
        if self.ready is not None:
            self.ready.end()
            self.ready = None

    def newcomer(self, name: str, **changes: Any) -> str:
        """Somebody new: a teen of 15 in California who confirmed the deal and named the companion. Their name.

        `age`, `country`, `region`, `language`, `password`, `deal` (False: not yet), `companion` ("": not named yet).
        """
        self.newcomers({name: changes})
        return name

    def newcomers(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Several at once: each name with its changes."""
        self.python(PEOPLE, json.dumps([wanted(name, **changes) for name, changes in people.items()]))
