"""The conversation itself: it says what it is, streams, stops, and is the same in every tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.told import FIRST, SLOW

pytestmark = pytest.mark.browser
SignIn = Callable[..., None]
Say = Callable[..., None]

# An hour of continuous use, as if it had passed.
_AN_HOUR_LATER = """
import django, sys
django.setup()
from datetime import timedelta
from chatbot.accounts.models import Presence, User
from chatbot.core import clock
now = clock.now()
Presence.objects.update_or_create(
    person=User.objects.get(username=sys.argv[1]),
    defaults={"run_from": now - timedelta(minutes=61), "last_at": now - timedelta(minutes=1), "reminded_at": None})
"""


def user_says(page: Any, *texts: str) -> None:
    """The person's own bubbles are these, in this order, or soon will be."""
    expect(page.locator(".msg-user .bubble > span:not(.sr, .react)")).to_have_text(list(texts))


def menu_of(page: Any, author: str) -> None:
    page.locator(f".msg-{author} .msg-more:visible").last.click()


def test_the_ai_label_and_the_disclosure_stand_before_the_first_bubble(
    page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    sign_in(page, somebody())
    slip = page.locator(".slip-disclosure")
    slip.wait_for()
    expect(slip).to_contain_text("a computer program, not a person", use_inner_text=True)
    expect(page.locator(".msg")).to_have_count(0)
    say(page, "hello there")
    order = page.evaluate(
        "[...document.querySelectorAll('[data-list] > .slip, [data-list] > .msg')].map(n => n.className)"
    )
    assert "slip-disclosure" in order[0]
    slip.get_by_role("button", name="Got it").click()
    slip.get_by_role("button").wait_for(state="detached")
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator(".chat-name")).to_have_text("Pixel AI", use_inner_text=True)
    expect(page.locator(".chat-name .ai")).to_be_visible()


def test_a_reply_comes_sentence_by_sentence(page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say) -> None:
    sign_in(page, somebody())
    say(page, "slowly, please", wait=False)
    page.get_by_text(SLOW[0]).wait_for()
    assert not page.get_by_text(SLOW[-1]).is_visible()
    page.wait_for_selector(".msg-companion[data-id]")
    said = page.locator(".msg-companion .bubble").inner_text()
    assert [said.index(part) for part in SLOW] == sorted(said.index(part) for part in SLOW)
    expect(page.locator(".msg-companion")).to_have_count(1)


def test_an_answer_can_be_stopped_and_the_next_one_comes(
    page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    sign_in(page, somebody())
    say(page, "wait for it", wait=False)
    page.get_by_text(FIRST).wait_for()
    page.get_by_role("button", name="Stop this answer").click()
    page.get_by_text("You stopped this one.").wait_for()
    expect(page.get_by_text(FIRST)).to_be_visible()
    say(page, "something else then")
    expect(page.get_by_text("I heard this: something else then.")).to_be_visible()


def test_two_tabs_see_the_same_while_it_is_said(
    page: Any, heard: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    sign_in(page, somebody())
    other = page.context.new_page()
    heard.listen(other)
    other.goto(page.url)
    other.wait_for_selector("[data-state=online]")
    say(page, "slowly, for both of us")
    other.wait_for_selector(".msg-companion[data-id]")
    other.get_by_text("slowly, for both of us", exact=True).wait_for()
    for part in SLOW:
        expect(other.get_by_text(part)).to_be_visible()
    say(other, "and hello from the other tab")
    page.get_by_text("and hello from the other tab", exact=True).wait_for()
    page.get_by_text("I heard this: and hello from the other tab.").wait_for()
    for tab in (page, other):
        user_says(tab, "slowly, for both of us", "and hello from the other tab")


def test_react_another_answer_report_and_edit(
    page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    sign_in(page, somebody())
    say(page, "the first version")

    menu_of(page, "companion")
    page.get_by_role("group", name="React").get_by_role("button", name="👍").click()
    expect(page.get_by_role("img", name="Your reaction: 👍")).to_be_visible()

    before = page.locator(".msg-companion[data-id]").get_attribute("data-id")
    menu_of(page, "companion")
    page.get_by_role("button", name="Another answer").click()
    page.wait_for_selector(f".msg-companion[data-id]:not([data-id='{before}'])")
    page.locator(f"[data-id='{before}']").wait_for(state="detached")

    page.get_by_text("I've got no other answer to this one.").wait_for()  # this engine says back what it is told
    for _ in range(2):
        menu_of(page, "companion")
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
        expect(page.get_by_role("button", name="Another answer")).to_have_count(0)
        page.reload()
        page.wait_for_selector("[data-state=online]")

    menu_of(page, "companion")
    page.get_by_role("button", name="Report").click()
    page.get_by_role("button", name="It's not true").click()
    page.get_by_text("A person will look at it.").wait_for()

    menu_of(page, "user")
    page.get_by_role("button", name="Edit").click()
    box = page.locator("#box")
    expect(box).to_have_value("the first version")
    box.fill("the second version")
    page.locator("[data-send]").click()
    page.get_by_text("I heard this: the second version.").wait_for()
    page.get_by_text("I heard this: the first version.").wait_for(state="detached")
    user_says(page, "the second version")

    page.reload()
    page.get_by_text("I heard this: the second version.").wait_for()
    user_says(page, "the second version")
    expect(page.locator(".msg-companion")).to_have_count(1)


def test_a_break_shuts_the_box_until_it_is_tapped(
    *, server: Server, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say, axe: Callable[..., None]
) -> None:
    name = somebody()
    sign_in(page, name)
    server.python(_AN_HOUR_LATER, name)
    say(page, "still here")
    expect(page.get_by_text("I heard this: still here.")).to_be_visible()
    page.locator(".slip-break").wait_for()
    expect(page.locator(".slip-break")).to_contain_text("This is an AI, not a person", use_inner_text=True)
    expect(page.locator("#box")).to_be_disabled()
    axe(page)
    page.reload()
    page.wait_for_selector("#box:disabled")
    page.get_by_role("button", name="I'm back").click()
    page.wait_for_selector("#box:enabled")
    say(page, "and back again")
    expect(page.get_by_text("I heard this: and back again.")).to_be_visible()


def _tab_to(page: Any, selector: str) -> None:
    """Tab, and nothing else, until the focus is there; it must be seen where it is."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            ring = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.boxShadow }"
            )
            assert ring != "nonenone", f"{selector} has the focus and nothing shows it"
            return
    pytest.fail(f"{selector} can't be reached by Tab")


def test_the_whole_way_by_keyboard_alone(
    server: Server, new_page: Callable[..., Any], somebody: Callable[[], str]
) -> None:
    page = new_page(has_touch=False)
    page.goto(f"{server.url}/account/login/")
    _tab_to(page, ".skip")
    _tab_to(page, "#id_login")
    page.keyboard.type(somebody())
    _tab_to(page, "#id_password")
    page.keyboard.type("abraco-demo")
    page.keyboard.press("Enter")

    page.wait_for_selector("[data-state=online]")
    expect(page.locator("#box")).to_be_focused()
    page.keyboard.type("no mouse here")
    page.keyboard.press("Enter")
    page.get_by_text("I heard this: no mouse here.").wait_for()
    page.wait_for_selector(".msg-companion[data-id]")

    _tab_to(page, ".msg-companion .msg-more")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.closest('.menu') !== null")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".react")
    expect(page.locator(".react")).to_have_text("😂", use_inner_text=True)

    _tab_to(page, ".chat-top [data-help]")
    page.keyboard.press("Enter")
    expect(page.locator("#help-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".chat-top [data-help]")).to_be_focused()

    _tab_to(page, "[data-menu-button]")
    page.keyboard.press("Enter")
    _tab_to(page, "[data-sign-out] button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/")
