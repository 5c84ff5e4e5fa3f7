"""A real server, a real Chromium, a line between them that can be cut, and axe. Nothing of the product is faked.

`server`: one for the folder, with a database of its own that holds the fixed cast; its engine is tests/browser/told.py,
its settings are the product's with a cheap hash (tests/browser/quick.py).
`house`: the same product twice, alone and on PostgreSQL, Redis and Celery: a test that asks for it runs on both.
`page`: Chromium at 375x812, whose console must stay clean. `sign_in(page, "maya")` ends in the chat.
`line`: a TCP proxy before the server; `line.cut()` and `line.mend()` (set_offline leaves open sockets open).
`remembered(page, word)`: waits until it is learned. `axe(page)`: fails with what axe found.
`somebody()`: a teen that no other test has, so that tests don't meet in one chat; `server.newcomer(...)` makes one of
another kind.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatbot.core import clock
from tests.browser.line import Line
from tests.browser.server import CAST, CROWD, PASSWORD, Server, cast, run
from tests.browser.told import TOLD
from tests.service.parts import Parts
from tests.service.ports import free_port

# Of those that are there the first: the shell is the same engine without windows of its own.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("ABRACO_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
PHONE = {"width": 375, "height": 812}
WAIT_MS = 20_000  # for whatever a page does by itself: an `expect` waits as long as a click
# A browser says these when the line is cut on purpose.
OF_THE_LINE = ("net::ERR_", "WebSocket connection to", "WebSocket is closed")

# Colours in the middle of a fade are nobody's: axe looks once whatever moves and ends has ended.
_AXE = """async (options) => {
  await Promise.allSettled(document.getAnimations()
    .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished));
  // A frame of another origin can't be asked from here: its test asks it by itself.
  return (await axe.run({resultTypes: ["violations"], iframes: false, ...options})).violations;
}"""
OF_COLOURS = ["color-contrast", "link-in-text-block"]  # the rules of axe that ask for a colour


@pytest.fixture(scope="session")
def _cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the fixed cast, to be copied: migrating takes longer than everything else."""
    folder = tmp_path_factory.mktemp("cast")
    run(folder, "-c", CAST, json.dumps(cast()))
    return folder


@pytest.fixture(scope="package")
def serve(_cast: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers, each with a fresh copy of the cast; keywords are environment variables. Ended with the folder."""
    started: list[Server] = []

    def start(**changes: str) -> Server:
        folder = tmp_path_factory.mktemp("server")
        shutil.copytree(_cast, folder, dirs_exist_ok=True)
        server = Server(folder, free_port(), changes)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="package")
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture(scope="package")
def parts(parts_with: Callable[..., Parts]) -> Parts:
    return parts_with(ABRACO_ENGINE=TOLD)


@pytest.fixture(scope="package", params=["alone", "parts"])
def house(request: pytest.FixtureRequest) -> Server:
    """The product twice: one process by itself (it is `server`), and on PostgreSQL, Redis, Celery with two processes
    behind one address. A test that asks for it runs on both."""
    made: Server = request.getfixturevalue("server" if request.param == "alone" else "parts")
    return made


@pytest.fixture
def where(request: pytest.FixtureRequest) -> Server:
    """What this test talks to: the house where it asks for the house, else the server."""
    found: Server = request.getfixturevalue("house" if "house" in request.fixturenames else "server")
    return found


@pytest.fixture
def line(where: Server) -> Iterator[Line]:
    """The server (or the house) behind a line that can be cut: open `line.url`."""
    made = Line(where.port)
    yield made
    made.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Debian's Chromium. For the folder, not for the session: while it runs, its loop would disturb Django's tests."""
    if not CHROMIUM:
        reason = "no chromium here: apt-get install chromium-headless-shell, or name one in ABRACO_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=Path(__file__).with_name("chromium"), args=["--no-sandbox"],
            env={**os.environ, "CHROMIUM": CHROMIUM},
        )  # fmt: skip
        yield browser
        browser.close()


def daytime_zone() -> str:
    """A time zone in which it is early afternoon: whoever signs up there meets no quiet hours."""
    offset = 13 - clock.now().hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


@dataclass
class Heard:
    """What the console said, and exceptions of scripts."""

    problems: list[str] = field(default_factory=list)

    def listen(self, page: Any) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))

    def _console(self, message: Any) -> None:
        if message.type not in ("error", "warning") or any(words in message.text for words in OF_THE_LINE):
            return
        address = message.location.get("url", "")
        # A page that says no (400, 403, 404) is a page all the same: its test reads what it says.
        if "status of 4" in message.text and "/static/" not in address:
            return
        self.problems.append(f"{message.type}: {message.text} ({address})")


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Anything heard fails the test, unless it empties `heard.problems` itself."""
    listener = Heard()
    yield listener
    assert not listener.problems


@pytest.fixture
def new_page(chromium: Any, heard: Heard) -> Iterator[Callable[..., Any]]:
    """Makes pages, each in a context of its own (another device): `new_page(viewport=..., color_scheme="dark")`."""
    contexts: list[Any] = []

    def make(**options: Any) -> Any:
        settings = {"viewport": PHONE, "has_touch": True, "locale": "en-US", "timezone_id": daytime_zone(), **options}
        context = chromium.new_context(**settings)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        heard.listen(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    return new_page()


@pytest.fixture(scope="package")
def _unused() -> defaultdict[str, Iterator[str]]:
    """Who of each server's crowd was not handed out yet."""
    return defaultdict(lambda: iter(CROWD))


@pytest.fixture
def somebody(_unused: defaultdict[str, Iterator[str]], where: Server) -> Callable[[], str]:
    """`somebody()`: the user name of a teen of 15 whom no other test has."""

    def do() -> str:
        name = next(_unused[where.url], None)
        assert name is not None, "the crowd is used up: make CROWD in tests/browser/server.py longer"
        return name

    return do


@pytest.fixture
def sign_in(where: Server) -> Callable[..., None]:
    """`sign_in(page, "maya")`: through the page, ends in a chat that is connected. `at`: another address (a line's).

    chat=False: for those who have no chat (yet); ends wherever the house leads them.
    """

    def do(page: Any, name: str, *, password: str = PASSWORD, at: str = "", chat: bool = True) -> None:
        page.goto(f"{at or where.url}/account/login/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_selector("[data-state=online]" if chat else "body:not(:has(#id_login))")

    return do


@pytest.fixture
def say() -> Callable[..., None]:
    """`say(page, "hello")`: types and sends. Waits for the end of the reply unless `wait=False`."""

    def do(page: Any, words: str, *, wait: bool = True) -> None:
        before = page.locator(".msg-companion[data-id]").count()
        page.locator("#box").fill(words)
        page.locator("[data-send]").click()
        if wait:
            page.wait_for_function(
                "before => document.querySelectorAll('.msg-companion[data-id]').length > before", arg=before
            )

    return do


# Playwright's wait_for_function takes an async function's promise for a yes: it is asked in the page instead.
_REMEMBERED = """async ([word, tries]) => {
  for (let left = tries; left; left -= 1) {
    if ((await (await fetch("/me/memory/")).text()).toLowerCase().includes(word)) return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
}"""


@pytest.fixture
def remembered() -> Callable[..., None]:
    """`remembered(page, "kiwis")`: waits for the job after a reply, until the page of memories has the word."""

    def do(page: Any, word: str) -> None:
        page.wait_for_load_state()
        assert page.evaluate(_REMEMBERED, [word, WAIT_MS // 250]), f"{word} was not remembered"

    return do


@pytest.fixture
def axe() -> Callable[..., None]:
    """Fails with what axe finds on the page, once all of it is there. `colours=True`: for a page that axe has seen, and
    that only its colours have changed since."""
    from axe_playwright_python.base import AXE_SCRIPT

    def check(page: Any, *, colours: bool = False) -> None:
        # A click ends when the next page begins: its body may not be there yet.
        page.wait_for_load_state()
        page.locator("main").first.wait_for(state="attached")
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        found = [
            f"{violation['id']}: {violation['help']} ({node['target']}: {node['html'][:120]})"
            for violation in page.evaluate(_AXE, {"runOnly": OF_COLOURS} if colours else {})
            for node in violation["nodes"]
        ]
        assert not found, f"{page.url}\n" + "\n".join(found)

    return check
