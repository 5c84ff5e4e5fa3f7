"""A moderator's evening in a real browser: the second key, the queue, the words, a decision; and the owner sees who."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import PASSWORD, Server
from tests.second_factor import code_now

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}
SMALL = {"width": 320, "height": 700}
WORD = "marmalade"
SAID = f"i want to kill myself, the {WORD} notebook says it all"
INCIDENT = """
import django, sys
django.setup()
from chatbot.accounts.models import User
from moderation.incidents.models import Incident
print(Incident.objects.get(person_id=User.objects.get(username=sys.argv[1]).id).id)
"""


@dataclass(frozen=True)
class Flagged:
    """A teen who wrote something in danger, their page, and the incident that came of it."""

    name: str
    page: Any
    incident: str


@pytest.fixture
def flagged(
    house: Server,
    new_page: Callable[..., Any],
    sign_in: Callable[..., None],
    say: Callable[..., None],
    somebody: Callable[[], str],
) -> Flagged:
    name, page = somebody(), new_page()
    sign_in(page, name)
    say(page, SAID)
    return Flagged(name, page, house.python(INCIDENT, name).strip())


class Staff:
    """Moderators as they come to the house."""

    def __init__(self, house: Server, new_page: Callable[..., Any], sign_in: Callable[..., None]) -> None:
        self.house, self.new_page, self.sign_in = house, new_page, sign_in

    def comes(self, name: str, axe: Callable[..., None], *, viewport: dict[str, int]) -> tuple[Any, str]:
        """From the command to the queue, setting up the app on the way. The page, and the app's key."""
        self.house.manage("setup", "--moderator", name)
        page = self.new_page(viewport=viewport)
        self.sign_in(page, name, chat=False)
        page.wait_for_url("**/account/second-factor/")  # the password was given just now: once is enough
        assert page.locator("svg.qr").bounding_box()["width"] > 150
        axe(page)
        page.get_by_text("Can't scan it?").click()
        key = str(page.locator("#secret").inner_text())
        page.get_by_label("The code that your app shows").fill("000000")
        page.get_by_role("button", name="Set it up").click()
        page.get_by_text("That code isn't right").wait_for()
        page.get_by_label("The code that your app shows").fill(code_now(key))
        page.get_by_role("button", name="Set it up").click()
        page.wait_for_url("**/second-factor/codes/")
        expect(page.locator("#codes li")).to_have_count(10)
        axe(page)
        page.get_by_role("link", name="Written down. Go on").click()
        page.wait_for_url("**/review/")
        return page, key

    def comes_back(self, name: str) -> Any:
        """The password once more, on another device. The page that asks for the code."""
        page = self.new_page(viewport=DESK)
        self.sign_in(page, name, chat=False)
        page.wait_for_url("**/second-factor/code/")
        return page


@pytest.fixture
def staff(
    house: Server, new_page: Callable[..., Any], sign_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Staff:
    monkeypatch.setenv("ABRACO_PASSWORD", PASSWORD)
    return Staff(house, new_page, sign_in)


def test_a_moderator_signs_in_claims_reads_decides_and_the_owner_sees_who(
    house: Server, flagged: Flagged, staff: Staff, axe: Callable[..., None]
) -> None:
    page, key = staff.comes("rosa", axe, viewport=DESK)
    row = page.locator(f"a[href='/review/{flagged.incident}/']")
    expect(row).to_contain_text(re.compile("Critical|High"), use_inner_text=True)
    expect(row).to_contain_text("due in", use_inner_text=True)
    axe(page)
    assert WORD not in page.content()
    assert flagged.name not in page.content()
    row.click()
    page.get_by_role("button", name="Claim it").click()
    page.get_by_role("heading", name="The words").wait_for()
    assert WORD not in page.content()
    axe(page)
    page.get_by_role("button", name="Open the words").click()
    page.locator("blockquote.excerpt", has_text=WORD).wait_for()
    axe(page)
    page.get_by_label("What came of it").select_option(label="Somebody talked with them")
    page.get_by_label("Why", exact=True).fill("Talked with them and their form tutor, today at four.")
    page.get_by_role("main").get_by_role("button", name="Decide").click()
    page.get_by_text("You can take it back for five minutes").wait_for()
    assert WORD not in page.content()

    assert WORD not in house.log()
    flagged.page.goto(f"{house.url}/me/")
    for told in (
        "opened a message of yours that was flagged, and read it.",
        "closed something of yours that was flagged.",
    ):
        expect(flagged.page.get_by_text(f"A moderator (rosa) {told}")).to_be_visible()

    again = staff.comes_back("rosa")
    axe(again)
    again.get_by_label("Code").fill(code_now(key, steps=5))
    again.get_by_role("main").get_by_role("button", name="Sign in").click()
    again.get_by_text("That code isn't right").wait_for()
    again.goto(f"{house.url}/review/")
    again.wait_for_url("**/second-factor/code/**")


def test_two_moderators_at_one_incident_on_small_phones(
    house: Server, flagged: Flagged, staff: Staff, axe: Callable[..., None]
) -> None:
    pages = []
    for name in ("raul", "rita"):
        page, _key = staff.comes(name, axe, viewport=SMALL)
        page.goto(f"{house.url}/review/{flagged.incident}/")
        pages.append(page)
    first, second = pages
    first.get_by_role("button", name="Claim it").click()
    first.get_by_role("heading", name="The words").wait_for()
    second.get_by_role("button", name="Claim it").click()
    second.get_by_text("raul has it now. Nothing was changed.").wait_for()
    for page in pages:
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    first.get_by_role("button", name="I need to stop").click()
    first.wait_for_url("**/review/stopped/")
    axe(first)
    second.goto(f"{house.url}/review/{flagged.incident}/")
    second.get_by_role("button", name="Claim it").click()
    second.get_by_role("heading", name="The words").wait_for()


def test_an_open_queue_says_that_somebody_new_waits_and_moves_nothing(
    flagged: Flagged, staff: Staff, say: Callable[..., None], axe: Callable[..., None]
) -> None:
    page, _ = staff.comes("selma", axe, viewport=SMALL)
    page.clock.install()
    page.goto(f"{staff.house.url}/review/")
    page.wait_for_load_state("networkidle")
    news, rows = page.locator("[data-news] a"), page.locator("[data-who]").count()
    with page.expect_response("**/review/"):
        page.clock.fast_forward(61_000)
    expect(news).to_have_count(0)  # nobody came
    say(flagged.page, SAID)
    with page.expect_response("**/review/"):
        page.clock.fast_forward(61_000)
    expect(news).to_have_text("Somebody new waits. Show it")
    assert (page.title()[:3], page.locator("[data-who]").count()) == ("(!)", rows)
    axe(page)
    news.click()
    expect(news).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.route("**/review/", lambda route: route.abort())
    for _ in range(3):
        with page.expect_event("requestfailed"):
            page.clock.fast_forward(61_000)
        page.wait_for_timeout(200)  # until the next look is set
    expect(news).to_have_text("No connection: this list may be old. Load it again")


def test_a_language_is_chosen_and_stays_over_the_tabs(flagged: Flagged, staff: Staff, axe: Callable[..., None]) -> None:
    page, _ = staff.comes("sira", axe, viewport=SMALL)
    row = page.locator(f"a[href='/review/{flagged.incident}/']")
    expect(row).to_be_visible()
    page.get_by_role("link", name="Français").click()
    expect(page).to_have_url(re.compile("language=fr"))
    expect(row).to_have_count(0)
    expect(page.get_by_text("in other languages").or_(page.get_by_text("in another language"))).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    page.get_by_role("link", name="Mine").click()
    expect(page).to_have_url(re.compile("show=mine&language=fr"))
    expect(page.get_by_role("link", name="Français")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Open").click()
    page.get_by_role("link", name="Show them all").click()
    expect(row).to_be_visible()
