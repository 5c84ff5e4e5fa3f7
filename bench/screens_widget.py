"""The widget in pictures, for docs/screens: `python -m bench.screens_widget`. The example host, the demo behind it."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bench.screens import ROOT, SIZES, _free_port, picture, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The secret is shown once, here to a file of this run.
SITE = """
import django, pathlib, sys
django.setup()
from chatbot.widget.sites import site_add
made = site_add(name="Northside School", origins=[sys.argv[1], "webview"])
pathlib.Path(sys.argv[2]).write_text(f"{made.site.public_key} {made.secret}")
"""


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_host", ROOT / "examples" / "host" / "server.py")
    if spec is None or spec.loader is None:
        raise SystemExit("examples/host/server.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pictures(browser: Browser, host: Any, size: str, scheme: str) -> None:
    host.visitor = {"sub": f"{size}-{scheme}", "band": "16-17", "country": "US", "region": "US-CA"}
    context = browser.new_context(
        viewport=SIZES[size],  # type: ignore[arg-type]  # as in bench.screens
        color_scheme=scheme,  # type: ignore[arg-type]  # as above
        has_touch=size == "375",
    )
    page = context.new_page()
    page.goto(f"http://localhost:{host.server_port}/")
    page.locator("[data-abraco] button.go").wait_for()
    picture(page, "widget-page", size, scheme)
    page.locator("[data-abraco] button.go").click()
    frame = page.frame_locator("[data-abraco] iframe")
    frame.locator("[data-deal]:enabled").wait_for()
    picture(page, "widget-deal", size, scheme)
    frame.locator("[data-deal]").click()
    for text in ("hi! im sam", "tell me a joke"):
        before = frame.locator(".msg-companion[data-id]").count()
        frame.locator("#box").fill(text)
        frame.locator("[data-send]").click()
        frame.locator(".msg-companion[data-id]").nth(before).wait_for()
    picture(page, "widget-chat", size, scheme)
    frame.locator("[data-help]").click()
    picture(page, "widget-help", size, scheme)
    # A link that somebody sent, with an identity in it: only the name is read before the answer.
    page.goto(f"{host.house}/widget/v1/frame/{host.site}/#identity=v1.eyJuYW1lIjogIk1heWEifQ.sign")
    page.locator("#who-title").wait_for()
    picture(page, "widget-who", size, scheme)
    context.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="abraco-") as folder:
        made = Path(folder) / "site"
        with served(("-c", SITE, f"http://localhost:{port}", str(made))) as url, sync_playwright() as playwright:
            key, secret = made.read_text(encoding="ascii").split()
            host = _example().Host(("localhost", port), house=url, site=key, secret=secret, visitor={})
            threading.Thread(target=host.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for size in SIZES:
                for scheme in ("light", "dark"):
                    _pictures(browser, host, size, scheme)
            browser.close()
            host.shutdown()


if __name__ == "__main__":
    main()
