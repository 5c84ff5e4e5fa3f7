"""The slip that says what was just remembered: quiet, heard politely, and undone without leaving the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server

pytestmark = pytest.mark.browser
SignIn = Callable[..., None]
Say = Callable[..., None]


def slips(page: Any) -> Any:
    return page.locator(".slip-memory")


def test_something_new_is_told_stays_until_the_next_message_and_can_be_undone(
    *, house: Server, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say, axe: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    say(page, "my dog is called Waffles")
    expect(slips(page)).to_contain_text("Your dog is called Waffles.")
    assert page.evaluate("document.querySelector('.slip-memory').closest('[role=log][aria-live=polite]') !== null")
    undo = slips(page).get_by_role("button", name="Undo")
    assert undo.bounding_box()["height"] >= 44
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, colours=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 375, "height": 812})

    say(page, "what do you think of rain")
    expect(slips(page)).to_have_count(0)

    say(page, "i love surfing")
    expect(slips(page)).to_contain_text("You like surfing.")
    before = page.url
    slips(page).get_by_role("button", name="Undo").press("Enter")
    expect(slips(page)).to_have_text(re.compile(r"^\s*Forgotten\.\s*$"))
    assert page.url == before
    assert page.evaluate("document.activeElement.matches('[data-log]')")
    say(page, "nothing much else")
    expect(slips(page)).to_have_count(0)
    page.goto(f"{house.url}/me/memory/")
    expect(page.get_by_text("Your dog is called Waffles.")).to_be_visible()
    assert "surfing" not in page.content()


def test_where_it_cannot_be_undone_it_says_so_and_the_way_to_try_again_stays(
    *,
    server: Server,
    page: Any,
    somebody: Callable[[], str],
    sign_in: SignIn,
    say: Say,
    remembered: Callable[..., None],
) -> None:
    sign_in(page, somebody())
    say(page, "i love juggling")
    expect(slips(page)).to_contain_text("You like juggling.")
    page.route("**/me/memory/told/**", lambda route: route.abort())
    slips(page).get_by_role("button", name="Undo").click()
    expect(slips(page)).to_contain_text("still remembered")
    page.unroute("**/me/memory/told/**")
    slips(page).get_by_role("button", name="Undo").click()
    expect(slips(page)).to_contain_text("Forgotten.")


def test_undone_on_the_memory_page_meanwhile_it_says_that_it_is_gone(
    *, server: Server, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    sign_in(page, somebody())
    say(page, "i love archery")
    expect(slips(page)).to_contain_text("You like archery.")
    other = page.context.new_page()
    other.goto(f"{server.url}/me/memory/")
    other.get_by_label("Forget: You like archery.").click()
    other.get_by_role("button", name="Yes, forget it").click()
    expect(other.get_by_text("You like archery.")).to_have_count(0)
    slips(page).get_by_role("button", name="Undo").click()
    expect(slips(page)).to_contain_text("That's gone already.")
    other.close()
