"""The way in: from the landing to the first reply, and pages that everybody can use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server

pytestmark = pytest.mark.browser


def test_somebody_new_signs_up_through_the_age_screen_and_gets_a_first_reply(
    server: Server, page: Any, say: Callable[..., None], axe: Callable[..., None]
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
    expect(code).to_have_text(re.compile(r"^\s*\S{19}\s*$"))
    axe(page)
    page.get_by_role("link", name="Written down. Go on").click()

    expect(page.get_by_role("heading", name="The deal")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Okay, deal").click()

    page.get_by_role("heading", name="Make it yours").wait_for()
    axe(page)
    page.get_by_label("What do you call it?").fill("Pixel")
    page.get_by_role("button", name="Start chatting").click()

    page.wait_for_selector("[data-state=online]")
    expect(page.get_by_text("a computer program, not a person")).to_be_visible()
    say(page, "hello there")
    expect(page.get_by_text("I heard this: hello there.")).to_be_visible()
    expect(page.locator(".chat-name")).to_have_text("Pixel AI", use_inner_text=True)
    axe(page)


@pytest.mark.parametrize("path", ["/", "/help/", "/help/?country=BR", "/account/login/", "/account/signup/"])
def test_axe_finds_nothing_on_pages_for_everybody(
    server: Server, page: Any, axe: Callable[..., None], path: str
) -> None:
    page.goto(server.url + path)
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, colours=True)


def test_axe_finds_nothing_in_the_chat(
    page: Any,
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    say: Callable[..., None],
    axe: Callable[..., None],
) -> None:
    sign_in(page, somebody())
    say(page, "good morning")
    for _menu in ("shut", "open"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            axe(page, colours=scheme == "dark")
        page.get_by_role("button", name="Menu").click()
