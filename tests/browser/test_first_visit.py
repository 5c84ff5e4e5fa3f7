"""The way in: from the landing to the first reply, and pages that everybody can use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.server import Server

pytestmark = pytest.mark.browser


def test_somebody_new_signs_up_through_the_age_screen_and_gets_a_first_reply(
    server: Server, page: Any, say: Callable[..., None], axe: Callable[[Any], None]
) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Month").select_option("1")
    page.get_by_label("Year").fill(str(page.evaluate("new Date().getFullYear()") - 16))
    page.get_by_label("Where you live").select_option("FR")
    page.get_by_label("User name").fill("nina")
    page.get_by_label("Password").fill("three odd words")
    page.get_by_role("button", name="Make my account").click()

    code = page.locator("#code")
    assert len(code.inner_text()) == 19
    axe(page)
    page.get_by_role("link", name="Written down. Go on").click()

    assert page.get_by_role("heading", name="The deal").is_visible()
    axe(page)
    page.get_by_role("button", name="Okay, deal").click()

    axe(page)
    page.get_by_label("What do you call it?").fill("Pixel")
    page.get_by_role("button", name="Start chatting").click()

    page.wait_for_selector("[data-state=online]")
    assert page.get_by_text("a computer program, not a person").is_visible()
    say(page, "hello there")
    assert page.get_by_text("I heard this: hello there.").is_visible()
    assert page.locator(".chat-name").inner_text().split() == ["Pixel", "AI"]
    axe(page)


@pytest.mark.parametrize("path", ["/", "/help/", "/help/?country=BR", "/account/login/", "/account/signup/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_for_everybody(
    server: Server, new_page: Callable[..., Any], axe: Callable[[Any], None], path: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(server.url + path)
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_chat(
    new_page: Callable[..., Any],
    sign_in: Callable[..., None],
    say: Callable[..., None],
    axe: Callable[[Any], None],
    scheme: str,
) -> None:
    page = new_page(color_scheme=scheme)
    sign_in(page, "maya")
    say(page, "good morning")
    axe(page)
    page.get_by_role("button", name="Menu").click()
    axe(page)
