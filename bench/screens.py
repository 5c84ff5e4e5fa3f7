"""The pictures of docs/screens: `python -m bench.screens`. The product in a process of its own, in real Chromium.

Phone (375 px) and desk (1280 px), light and dark. The talk is the demo teen's, answered by the embedded engine.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served() -> Iterator[str]:
    """The demo on a free port, with a folder of its own; its address. The bank's vectors come from var/cache."""
    with tempfile.TemporaryDirectory(prefix="abraco-") as folder:
        environment = {
            **os.environ, "DEBUG": "1", "ABRACO_VAR": folder, "ABRACO_CACHE": str(ROOT / "var" / "cache"),
            "DJANGO_SETTINGS_MODULE": "chatbot.settings", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        for command in (("manage.py", "migrate", "-v", "0"), ("manage.py", "master_key", "--make"),
                        ("manage.py", "seed_demo"), ("manage.py", "catalogues"), ("-c", AWAKE)):  # fmt: skip
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
                for name, path in PAGES.items():
                    page.goto(url + path)
                    picture(page, name, size, scheme)
                page.context.close()
        say(first, HARD)
        first.wait_for_selector("[data-pin]:not([hidden])")
        picture(first, "crisis", "375", "light")
        for size in SIZES:
            page = signed_in(browser, url, size=size, scheme="dark")
            picture(page, "crisis", size, "dark")
        browser.close()


if __name__ == "__main__":
    main()
