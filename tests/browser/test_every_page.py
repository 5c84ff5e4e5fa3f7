"""Every page of the house on a phone, light and dark: axe finds nothing, nothing sticks out, Help is there.

The addresses are those of the matrix: a new page is looked at here without anybody thinking of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.server import Server
from tests.contracts.cast import table

pytestmark = pytest.mark.browser

# What a browser is given here is a file, nothing for people, or a page inside another site (looked at there).
NO_PAGES = (
    "/sw.js", "/widget/", "/me/export/abraco", "/me/memory/export/", "/me/shelf/zine.html", "/health", "/ready",
    "/metrics", "/api/",
)  # fmt: skip
# These change what comes after them: they are looked at last, in this order.
LAST = ("/account/recovery-code/", "/leave/", "/account/unlock/")

# Something of Maya's in every room; one account that is closed; the ids, by the names that addresses have for them.
_HERS = """
import django, json
django.setup()
from chatbot.accounts import services
from chatbot.accounts.models import User
from tests.contracts.cast import hers_make
services.person_lock(User.objects.get(username="leo"), reason="tests")
print(json.dumps(hers_make(User.objects.get(username="maya"))))
"""


@pytest.fixture(scope="module")
def hers(server: Server) -> dict[str, str]:
    ids: dict[str, str] = json.loads(server.python(_HERS).splitlines()[-1])
    return ids


def _pages(role: str, hers: dict[str, str]) -> Iterator[str]:
    """The addresses at which this role gets a page, as in the table. Grown-ups: those that are not everybody's, and of
    those that say no (all with the same page) the chat."""
    found = []
    for (method, address), row in table().items():
        if method != "GET" or row[role] not in ("200", "403", "404") or address.startswith(NO_PAGES):
            continue
        if role in ("out", "maya") or address == "/chat/" or (row[role] == "200" and row["out"] != "200"):
            found.append(address)
    for address in sorted(found, key=lambda one: LAST.index(one) if one in LAST else -1):
        yield re.sub(r"<(?:\w+:)?(\w+)>", lambda name: hers[name[1]], address)


def _enter(server: Server, page: Any, name: str) -> None:
    page.goto(f"{server.url}/account/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("abraco-demo")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_selector("body:not(:has(#id_login))")


def _look(page: Any, axe: Callable[..., None]) -> None:
    """axe in the light and in the dark; nothing wider than the phone; Help and the way out."""
    page.wait_for_load_state()
    if page.locator("[data-state]").count():
        page.wait_for_selector("[data-state=online]")
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, colours=True)
    page.emulate_media(color_scheme="light")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{page.url} is {width} px wide"
    if "/leave/" not in page.url:
        expect(page.get_by_role("link", name="Help").first, f"{page.url} has no Help").to_be_visible()
        way_out = page.locator("[data-leave-now]:visible").first
        expect(way_out, f"{page.url} has no way to leave quickly").to_be_visible()


@pytest.mark.parametrize("role", ["out", "maya", "ana", "olga"])
def test_axe_finds_nothing_on_any_page_and_help_is_on_each(
    server: Server, hers: dict[str, str], page: Any, axe: Callable[..., None], role: str
) -> None:
    if role != "out":
        _enter(server, page, role)
    looked = 0
    for path in _pages(role, hers):
        page.goto(server.url + path)
        _look(page, axe)
        looked += 1
    assert looked >= 8


def test_axe_finds_nothing_where_the_house_says_no(
    server: Server, hers: dict[str, str], new_page: Callable[..., Any], axe: Callable[..., None]
) -> None:
    people = {
        "ila": {"country": "IN", "region": ""},
        "wei": {"country": "CN", "region": ""},
        "dede": {"deal": False},
        "newt": {"companion": ""},
    }
    server.newcomers(people)
    titles = {}
    for name in (*people, "leo"):
        page = new_page()
        _enter(server, page, name)
        titles[name] = page.get_by_role("heading", level=1).inner_text()
        _look(page, axe)
    assert titles == {
        "ila": "One yes is missing",
        "wei": "Closed where you live",
        "dede": "The deal",
        "newt": "Make it yours",
        "leo": "Closed for now",
    }
    page.goto(f"{server.url}/nothing-here/")
    _look(page, axe)


def _send(page: Any, button: str, **fields: str) -> None:
    """Fills fields by their names and sends their form."""
    for name, value in fields.items():
        page.locator(f"main [name={name}]:visible").fill(value)
    page.get_by_role("main").get_by_role("button", name=button, exact=True).click()


def test_axe_finds_nothing_on_what_forms_answer_signed_out(server: Server, page: Any, axe: Callable[..., None]) -> None:
    page.goto(f"{server.url}/account/login/")
    _send(page, "Sign in", login="maya", password="not the one")
    page.locator(".errors").wait_for()
    _look(page, axe)
    page.goto(f"{server.url}/account/signup/")
    page.get_by_label("Month").select_option("12")
    page.get_by_label("Where you live").select_option("FR")
    _send(page, "Make my account", birth_year="2090", username="maya", password1="12345678")
    page.locator(".errors").wait_for()
    _look(page, axe)
    page.goto(f"{server.url}/account/recover/")
    _send(page, "Set the new password", username="maya", code="AAAA", password="four odd words here")
    page.locator(".errors").wait_for()
    _look(page, axe)


def test_axe_finds_nothing_on_what_forms_answer_signed_in(
    server: Server, page: Any, axe: Callable[..., None], remembered: Callable[..., None]
) -> None:
    _enter(server, page, "stranger")
    page.wait_for_selector("[data-state=online]")
    page.locator("#box").fill("i love skateboarding")
    page.locator("[data-send]").click()
    page.wait_for_selector(".msg-companion[data-id]")
    for query, found in (("skateboarding", ".list"), ("submarine", ".empty")):
        page.goto(f"{server.url}/chat/search/?q={query}")
        page.locator(f"main {found}").wait_for()
        _look(page, axe)
    page.goto(f"{server.url}/chat/friend/")
    _send(page, "Save", name="bitch")
    page.locator(".errors").wait_for()
    _look(page, axe)
    # Danger in a correction: the written words and the card stand on a page.
    remembered(page, "skateboarding")
    page.goto(f"{server.url}/me/memory/")
    page.get_by_role("link", name="Change").first.click()
    _send(page, "Save", value="i want to die")
    page.locator(".crisis").wait_for()
    _look(page, axe)
    page.goto(f"{server.url}/me/delete/")
    _send(page, "Delete everything", password="not the one")
    page.locator(".errors, .error").first.wait_for()
    _look(page, axe)
    _send(page, "Delete everything", password="abraco-demo")
    page.get_by_role("heading", name="Deleted").wait_for()
    _look(page, axe)
