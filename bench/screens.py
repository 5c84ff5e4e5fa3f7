"""The pictures of docs/screens: `python -m bench.screens`. The product in a process of its own, in real Chromium.

Phone (375 px) and desk (1280 px), light and dark. The talk is the demo teen's, answered by the embedded engine.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screens"
SIZES = {"375": {"width": 375, "height": 780}, "1280": {"width": 1280, "height": 800}}
TALK = (
    "hi! im sam",
    "i have a cat named mochi who hates everyone except me",
    "she bit my cousin",
    "tell me a joke",
)
HARD = "i dont want to be alive anymore"
PAGES = {"landing": "/", "help": "/help/?country=US", "about": "/about/", "memory": "/me/memory/", "me": "/me/"}
OWN_PAGES = {"privacy": "/me/privacy/", "limits": "/me/limits/", "mirror": "/me/guardian/", "export": "/me/export/",
             "family-code": "/family/code/"}  # fmt: skip
START_S = 120.0
# Without quiet hours: the picture may be taken at night.
AWAKE = """
import django
django.setup()
from datetime import time
from chatbot.accounts.models import TimeLimits, User
from chatbot.accounts.services import deal_confirm
from companion.profile.services import companion_shape
maya = User.objects.get(username="maya")
deal_confirm(maya)
TimeLimits.objects.update_or_create(person=maya, defaults={"quiet_from": time(12), "quiet_to": time(12)})
companion_shape(owner_id=maya.id, name="Pixel", colour="honey", playful=70, curious=60, gentle=60)
"""
# What waits in the moderator's queue, at several ages.
FLAGGED = """
import django
django.setup()
import uuid
from datetime import timedelta
from chatbot.accounts.models import User
from chatbot.core import clock
from moderation.incidents.models import Incident
from moderation.incidents.services import incident_file
from moderation.types import Decision
now = clock.now()
for name, severity, level, categories, kind, minutes, words in (
    ("leo", 4, "L4", ("T01",), "message", 6, "tonight it ends, tell my sister lu the hamster is hers"),
    ("leo", 3, None, ("T08",), "message", 200, "he hit me again when mum was at work"),
    ("maya", 2, None, (), "report", 900, "Cold pizza is sacred and your maths teacher is wrong."),
    ("leo", 2, None, ("T15",), "message", 1500, "the whole group chat laughs about me again"),
):
    clock.move_to(now - timedelta(minutes=minutes))
    incident_file(person_id=User.objects.get(username=name).id, conversation_id=None, turn_id=uuid.uuid4(),
                  decision=Decision("crisis", severity, level, categories, None, incident=True), excerpt=words,
                  kind=kind, reason="unkind" if kind == "report" else "")
"""
# Two weeks of minutes and an alert for Maya's guardian; somebody asks to be linked to Leo.
FAMILY = """
import django
django.setup()
import uuid
from datetime import timedelta
from chatbot.accounts import guardianship, oversight
from chatbot.accounts.models import AlertKind, UsageDay, User
from chatbot.accounts.services import deal_confirm
from chatbot.core import clock
maya, leo, now = User.objects.get(username="maya"), User.objects.get(username="leo"), clock.now()
maya.guardianships.update(since=now - timedelta(days=20))
for back, minutes in enumerate((35, 20, 0, 60, 45, 10, 25, 55, 0, 0, 30, 15, 40, 5), start=1):
    if minutes:
        day = now.date() - timedelta(days=back)
        UsageDay.objects.create(person=maya, day=day, seconds=minutes * 60 - 50, turns=9)
oversight.alert_file(maya.guardianships.get(), incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=now)
deal_confirm(leo)
nora = guardianship.guardian_make(username="nora", password="four odd words here", email="", language="en",
                                  time_zone="UTC")
guardianship.link_ask(nora, guardianship.code_find(nora, guardianship.code_make(leo), address="demo"))
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(*more: tuple[str, ...]) -> Iterator[str]:
    """The demo on a free port, with a folder of its own; its address. The bank's vectors come from var/cache.

    `more`: what is run besides, before it starts.
    """
    with tempfile.TemporaryDirectory(prefix="abraco-") as folder:
        environment = {
            **os.environ, "DEBUG": "1", "ABRACO_VAR": folder, "ABRACO_CACHE": str(ROOT / "var" / "cache"),
            "DJANGO_SETTINGS_MODULE": "chatbot.settings", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        for command in (("manage.py", "migrate", "-v", "0"), ("manage.py", "master_key", "--make"),
                        ("manage.py", "seed_demo"), ("manage.py", "catalogues"), ("-c", AWAKE),
                        ("-c", FLAGGED), ("-c", FAMILY), *more):  # fmt: skip
            subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603
        port = _free_port()
        server = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "uvicorn", "chatbot.asgi:application", "--port", str(port), "--log-level", "error"],
            cwd=ROOT, env=environment,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(address: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.3)
    raise SystemExit(f"{address} did not answer")


def say(page: Page, text: str) -> None:
    """Type, send, and wait for the end of the reply."""
    before = page.locator(".msg-companion[data-id]").count()
    page.locator("textarea").fill(text)
    page.locator("[data-send]").click()
    page.locator(".msg-companion[data-id]").nth(before).wait_for()
    page.locator("[data-stop]").wait_for(state="hidden")


def signed_in(browser: Browser, url: str, *, size: str, scheme: str) -> Page:
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/account/login/?next=/chat/")
    page.fill("input[name=login]", "maya")
    page.fill("input[name=password]", "abraco-demo")
    page.click("main button[type=submit], main form button")
    page.wait_for_selector("[data-state=online]")
    return page


def picture(page: Page, name: str, size: str, scheme: str) -> None:
    page.wait_for_timeout(400)
    page.screenshot(path=OUT / f"{name}-{size}-{scheme}.png")


def _code(key: str) -> str:
    """What an authenticator app shows now for this key (RFC 6238)."""
    digest = hmac.new(base64.b32decode(key), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def _staff(browser: Browser, url: str, size: str, scheme: str, **more: Any) -> Page:
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, **more)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/review/")
    return page


def _sizes(page: Page, name: str) -> None:
    """One open page in every size and scheme, for pages that can't be opened again."""
    for size, room in SIZES.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size(room)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            picture(page, name, size, scheme)


def review(browser: Browser, url: str) -> None:
    """The second key, the queue, an incident before and after its words are opened: as the demo's moderator."""
    page = _staff(browser, url, "375", "light")
    page.fill("input[name=login]", "rui")
    page.fill("input[name=password]", "abraco-demo")
    page.click("main form button")
    page.wait_for_selector("svg.qr")
    _sizes(page, "second-key")
    page.click("details summary")
    page.fill("input[name=code]", _code(page.inner_text("#secret")))
    page.click("main form button")
    page.wait_for_selector("#codes")
    _sizes(page, "second-key-codes")
    again = _staff(browser, url, "375", "light")
    again.fill("input[name=login]", "rui")
    again.fill("input[name=password]", "abraco-demo")
    again.click("main form button")
    again.wait_for_selector("input[name=code]")
    _sizes(again, "second-key-asked")
    page.goto(f"{url}/review/stopped/")
    _sizes(page, "review-stopped")
    page.goto(f"{url}/review/")
    page.locator("a.go", has_text="a plan, or happening now").click()
    page.click("text=Claim it")
    incident, kept = page.url, page.context.storage_state()
    for size in SIZES:
        for scheme in ("light", "dark"):
            page = _staff(browser, url, size, scheme, storage_state=kept)
            picture(page, "review", size, scheme)
            page.goto(incident)
            picture(page, "incident", size, scheme)
            page.click("text=Open the words")
            page.wait_for_selector("blockquote.excerpt")
            page.locator("#words").scroll_into_view_if_needed()
            picture(page, "incident-open", size, scheme)
            page.context.close()


def family(browser: Browser, url: str) -> None:
    """The guardian's pages, the way in, and what the teen is asked."""
    for size, room in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=room, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{url}/family/join/")
            picture(page, "join", size, scheme)
            for name in ("ana", "leo"):
                page.goto(f"{url}/account/login/")
                page.fill("input[name=login]", name)
                page.fill("input[name=password]", "abraco-demo")
                page.click("main form button")
                page.wait_for_selector("body:not(:has(#id_login))")
                if name == "ana":
                    picture(page, "family-list", size, scheme)
                    page.click(".teens a")
                    picture(page, "family", size, scheme)
                    page.click("text=Change what holds")
                    picture(page, "family-limits", size, scheme)
                    context.clear_cookies()
            page.goto(f"{url}/family/code/")
            picture(page, "family-request", size, scheme)
            context.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    OUT.mkdir(parents=True, exist_ok=True)
    with served() as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        first = signed_in(browser, url, size="375", scheme="light")
        for text in TALK:
            say(first, text)
        for size in SIZES:
            for scheme in ("light", "dark"):
                page = signed_in(browser, url, size=size, scheme=scheme)
                picture(page, "chat", size, scheme)
                for name, path in {**PAGES, **OWN_PAGES}.items():
                    page.goto(url + path)
                    picture(page, name, size, scheme)
                page.context.close()
        say(first, HARD)
        first.wait_for_selector("[data-pin]:not([hidden])")
        picture(first, "crisis", "375", "light")
        for size in SIZES:
            page = signed_in(browser, url, size=size, scheme="dark")
            picture(page, "crisis", size, "dark")
        review(browser, url)
        family(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
