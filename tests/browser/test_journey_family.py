"""A family in real browsers: linked by a code, limits that hold, help that holds whatever is set, and what is seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from chatbot.core import clock
from tests.browser.server import PASSWORD, Server

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}
SMALL = {"width": 320, "height": 700}
WORD = "tangerine"
DANGER = f"im going to kill myself, not even my {WORD} tree can stop me"
# Yesterday's minutes, and a link that is older than they are: what a page shows of days that are over.
YESTERDAY = """
import django, sys
django.setup()
from datetime import timedelta
from chatbot.accounts.models import UsageDay, User
from chatbot.core import clock
teen = User.objects.get(username=sys.argv[1])
teen.guardianships.update(since=clock.now() - timedelta(days=4))
UsageDay.objects.create(person=teen, day=clock.now().date() - timedelta(days=1), seconds=33 * 60, turns=20)
"""
USED_UP = """
import django, sys
django.setup()
from chatbot.accounts import services
from chatbot.accounts.models import User
from chatbot.core import clock
services._usage_add(User.objects.get(username=sys.argv[1]), day=clock.now().date(), seconds=int(sys.argv[2]))
"""


def hours(start: datetime, end: datetime) -> dict[str, str]:
    return {"Quiet hours begin": f"{start:%H:%M}", "Quiet hours end": f"{end:%H:%M}"}


def set_limits(page: Any, **fields: str) -> None:
    """Fill the form by its labels, and save."""
    page.get_by_role("link", name="Change what holds").click()
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. It holds from now on").wait_for()


def told(page: Any, sentence: str) -> None:
    page.locator(".slip", has_text=sentence).first.wait_for()


@pytest.fixture
def linked(
    house: Server, new_page: Callable[..., Any], sign_in: Callable[..., None], axe: Callable[..., None]
) -> Callable[[str, str], tuple[Any, Any]]:
    """A teen in India and a grown-up, from the closed chat to the open one. Their two pages."""

    def link(name: str, grown_name: str) -> tuple[Any, Any]:
        house.newcomer(name, age=14, country="IN", region="")
        teen, grown = new_page(), new_page(viewport=DESK)
        sign_in(teen, name, chat=False)
        teen.get_by_role("heading", name="One yes is missing").wait_for()
        axe(teen)
        teen.get_by_role("link", name="Make a code for them").click()
        teen.get_by_role("button", name="Make a code").click()
        code = str(teen.locator("#code").inner_text())
        assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}", code)
        axe(teen)

        grown.goto(f"{house.url}/family/join/")
        axe(grown)
        grown.get_by_label("User name").fill(grown_name)
        grown.get_by_label("Password").fill(PASSWORD)
        grown.get_by_label("I'm an adult").check()
        grown.get_by_role("button", name="Make my account").click()
        grown.get_by_role("link", name="Written down. Go on").click()
        grown.get_by_label("Code").fill("ABCD-EFGH")
        grown.get_by_role("button", name="Go on").click()
        grown.get_by_text("That code doesn't work here").wait_for()
        grown.get_by_label("Code").fill(code.lower())
        grown.get_by_role("button", name="Go on").click()
        grown.get_by_role("heading", name=f"Link with {name}?").wait_for()
        axe(grown)
        grown.get_by_label("I've read this").check()
        grown.get_by_role("button", name="Yes, ask them").click()
        grown.get_by_text(f"{name} still has to say yes").wait_for()

        teen.goto(f"{house.url}/family/code/")
        teen.get_by_role("heading", name=f"{grown_name} asks to be linked to you").wait_for()
        axe(teen)
        teen.get_by_role("button", name="Yes, link us").click()
        teen.get_by_text(f"You're linked with {grown_name} now").wait_for()
        teen.goto(f"{house.url}/chat/")
        teen.wait_for_selector("[data-state=online]")
        expect(teen.locator(".linked")).to_contain_text(grown_name, use_inner_text=True)
        axe(teen)
        grown.goto(f"{house.url}/family/")
        grown.get_by_role("link", name=re.compile(name)).click()
        return teen, grown

    return link


def test_a_guardian_links_sets_limits_that_hold_and_sees_an_alert_without_a_word(
    house: Server, linked: Callable[[str, str], tuple[Any, Any]], say: Callable[..., None], axe: Callable[..., None]
) -> None:
    teen, grown = linked("indira", "meera")
    say(teen, "hello there")
    now = clock.now()
    quiet_now = hours(now - timedelta(hours=1), now + timedelta(hours=8))
    set_limits(grown, **quiet_now, **{"Minutes a day": "20"})
    told(teen, "It's quiet hours")  # in the open chat, at once
    say(teen, DANGER)
    teen.locator("[data-pin]:not([hidden])").wait_for()
    expect(teen.locator("[data-list]")).to_contain_text("parent or carer", use_inner_text=True)

    grown.get_by_text("Please check on them now").first.or_(grown.locator("h1")).first.wait_for()
    for _ in range(80):
        grown.reload()
        if grown.get_by_text("Please check on them now").count():
            break
        grown.wait_for_timeout(1000)
    expect(grown.locator(".alert-new")).to_have_count(1)
    axe(grown)
    assert WORD not in grown.content()
    grown.get_by_role("button", name="I'm on it").click()
    grown.locator(".alert-new").wait_for(state="detached")

    house.python(YESTERDAY, "indira")
    grown.reload()
    expect(grown.locator("svg.bars text", has_text="35")).to_have_count(1)
    grown.get_by_text("As a table").click()
    expect(grown.locator("table")).to_contain_text("35", use_inner_text=True)
    axe(grown)
    teen.goto(f"{house.url}/me/guardian/")
    mirror = teen.locator("main").inner_text()
    for seen in grown.locator(".seen-part .pairs dd").all_inner_texts():
        assert seen in mirror
    expect(teen.locator("svg.bars text", has_text="35")).to_have_count(1)
    expect(teen.locator(".alert")).to_have_count(1)
    axe(teen)


def test_minutes_hold_in_the_browser_and_help_answers_all_the_same(
    house: Server, linked: Callable[[str, str], tuple[Any, Any]], say: Callable[..., None]
) -> None:
    teen, grown = linked("kavya", "rekha")
    now = clock.now()
    set_limits(grown, **hours(now + timedelta(hours=2), now + timedelta(hours=10)), **{"Minutes a day": "10"})
    say(teen, "hello there")
    house.python(USED_UP, "kavya", "600")
    say(teen, "and one more", wait=False)
    told(teen, "That's today's time used up")
    say(teen, DANGER)
    teen.locator("[data-pin]:not([hidden])").wait_for()

    grown.get_by_text("Close the chat").click()
    grown.get_by_role("button", name="Take my yes back").click()
    grown.get_by_text("Help in a crisis stays open to them").wait_for()
    teen.goto(f"{house.url}/chat/")
    teen.get_by_text("has taken back their yes").wait_for()
    grown.get_by_label("I've read this").check()
    grown.get_by_role("button", name="Open the chat again").click()
    grown.get_by_text("The chat is open again").wait_for()
    teen.goto(f"{house.url}/chat/")
    teen.wait_for_selector("[data-state=online]")


def test_a_link_that_ends_leaves_a_sentence_and_no_data(
    house: Server, linked: Callable[[str, str], tuple[Any, Any]]
) -> None:
    teen, grown = linked("priya", "sunita")
    old = grown.url
    grown.get_by_text("End the link").first.click()
    grown.get_by_role("button", name="End the link").click()
    grown.get_by_text("The link has ended").wait_for()
    grown.goto(old)
    grown.get_by_text("You aren't linked to that account").wait_for()
    expect(grown.locator("main")).not_to_contain_text("priya", use_inner_text=True)
    teen.goto(f"{house.url}/chat/")
    teen.get_by_role("heading", name="One yes is missing").wait_for()


@pytest.mark.parametrize("size", [SMALL, DESK])
def test_the_pages_fit_and_read_well(
    server: Server,
    new_page: Callable[..., Any],
    sign_in: Callable[..., None],
    axe: Callable[..., None],
    size: dict[str, int],
) -> None:
    page = new_page(viewport=size)
    sign_in(page, "ana", chat=False)
    page.wait_for_url("**/family/")
    page.get_by_role("link", name=re.compile("maya")).click()
    addresses = [page.url, f"{page.url}limits/", *(f"{server.url}/family/{part}" for part in ("", "code/", "join/"))]
    for address in addresses:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        axe(page)
        page.emulate_media(color_scheme="dark")
        axe(page, colours=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
