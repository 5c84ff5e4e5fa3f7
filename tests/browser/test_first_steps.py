"""The first minutes of somebody new on a phone: where to begin, what there is to play, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server

pytestmark = pytest.mark.browser


def test_an_empty_chat_has_a_first_word_and_ways_to_begin_until_something_is_said(
    page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], axe: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    expect(page.locator("[data-start]")).to_be_visible()
    expect(page.locator(".chip")).to_have_count(3)
    axe(page)
    words = page.locator(".chip").first.inner_text()
    page.locator(".chip").first.click()
    expect(page.locator(".msg-user .bubble").first).to_contain_text(words)
    expect(page.locator("[data-start]")).to_have_count(0)
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator(".msg-user .bubble").first).to_contain_text(words)
    expect(page.locator("[data-start]")).to_be_hidden()


def test_games_stand_in_a_sheet_that_a_key_or_a_tap_closes(
    page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], axe: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    opener, sheet = page.locator("[data-play-button]"), page.locator("[data-play]")
    opener.click()
    expect(sheet).to_be_visible()
    expect(page.locator("#play-title")).to_be_focused()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        axe(page, colours=scheme == "dark")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    tap = sheet.locator("[data-say]").first
    says = tap.get_attribute("data-say")
    tap.click()
    expect(sheet).to_be_hidden()
    expect(page.locator(".msg-user .bubble").first).to_contain_text(says)


def test_a_way_onto_the_shelf_is_a_tap_whose_words_wait_in_the_box(
    server: Server, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], axe: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    page.goto(f"{server.url}/me/shelf/")
    axe(page)
    tap = page.locator(".way .chip").first
    words = tap.inner_text()
    tap.click()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator("#box")).to_have_value(words)
    expect(page.locator(".msg-user")).to_have_count(0)  # nothing is said by itself
    page.locator("#box").fill("i was writing this")
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator("#box")).to_have_value("i was writing this")
    page.goto(f"{server.url}/me/shelf/")
    page.locator(".way .chip").nth(1).click()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator("#box")).to_have_value("i was writing this")  # it is not lost for a tap: that stands above it
    page.locator("[data-chips] .chip", has_text="word").click()
    expect(page.locator(".msg-user .bubble").first).to_contain_text("word")


@pytest.mark.parametrize("width", [320, 375])
def test_nothing_is_wider_than_a_phone(
    new_page: Callable[..., Any],
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    axe: Callable[..., None],
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 640})
    sign_in(page, somebody())
    page.locator("[data-record]").click()
    assert page.evaluate("document.querySelector('.dock').scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.url.replace("/chat/", "/me/"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
    page.locator(".to-chat").click()
    page.wait_for_selector("[data-state=online]")


def test_a_password_can_be_looked_at_and_is_one_again_before_it_goes(server: Server, page: Any) -> None:
    page.goto(f"{server.url}/account/login/")
    box, eye = page.get_by_label("Password"), page.locator("[data-show]")
    box.fill("purple waffle kite")
    eye.click()
    expect(box).to_have_attribute("type", "text")
    expect(eye).to_have_attribute("aria-pressed", "true")
    page.get_by_label("User name").fill("nobody")
    page.evaluate(
        "document.querySelector('[data-show]').form.addEventListener('submit', (event) => event.preventDefault())"
    )
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(box).to_have_attribute("type", "password")
