"""Coming, staying and leaving: the age screen, the friend's name, recovery, devices, memory, language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import PASSWORD, Server

pytestmark = pytest.mark.browser


def _fill_sign_up(page: Any, *, years_ago: int, name: str) -> None:
    page.get_by_label("Month").select_option("1")
    page.get_by_label("Year").fill(str(page.evaluate("new Date().getFullYear()") - years_ago))
    page.get_by_label("Where you live").select_option("FR")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("three odd words")
    page.get_by_role("button", name="Make my account").click()


def test_under_thirteen_is_refused_kindly_nothing_is_kept_and_a_second_try_waits(
    server: Server, page: Any, axe: Callable[..., None]
) -> None:
    page.goto(f"{server.url}/account/signup/")
    assert "13" not in page.get_by_role("main").inner_text().replace("2013", "")
    _fill_sign_up(page, years_ago=11, name="tiny")
    page.get_by_role("heading", name="Thanks for stopping by").wait_for()
    expect(page.get_by_role("link", name="People who can help")).to_be_visible()
    axe(page)
    # Nothing is kept but the cookie that lets a second try wait, and a corrected year changes nothing.
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"later", "csrftoken"}
    assert "tiny" not in page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    page.goto(f"{server.url}/account/signup/")
    page.get_by_role("heading", name="Thanks for stopping by").wait_for()
    found = server.python(
        "import django; django.setup()\n"
        "from chatbot.accounts.models import User; print(User.objects.filter(username='tiny').count())"
    )
    assert found.strip() == "0"


def test_naming_the_friend_before_the_first_chat(
    server: Server, page: Any, sign_in: Callable[..., None], axe: Callable[..., None]
) -> None:
    sign_in(page, server.newcomer("nameless", companion=""), chat=False)
    page.get_by_role("heading", name="Make it yours").wait_for()
    page.get_by_label("What do you call it?").fill("Biscoito")
    page.get_by_text("Leaf", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-accent", "leaf")
    page.get_by_label("Playful").press("End")
    axe(page)
    page.get_by_role("button", name="Start chatting").click()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator(".chat-name")).to_have_text("Biscoito AI", use_inner_text=True)
    expect(page.locator("html")).to_have_attribute("data-accent", "leaf")
    page.goto(f"{server.url}/chat/friend/")
    expect(page.get_by_label("Playful")).to_have_value("100")


def test_an_account_is_recovered_by_its_code(
    server: Server, new_page: Callable[..., Any], somebody: Callable[[], str], sign_in: Callable[..., None]
) -> None:
    name = somebody()
    first, second = new_page(), new_page()
    sign_in(first, name)
    first.goto(f"{server.url}/account/recovery-code/")
    code = first.locator("#code").inner_text()
    first.goto(f"{server.url}/chat/")
    first.wait_for_selector("[data-state=online]")

    second.goto(f"{server.url}/account/login/")
    second.get_by_role("link", name="I forgot my password").click()
    second.get_by_label("User name").fill(name)
    second.get_by_label("Recovery code").fill("AAAA-AAAA-AAAA-AAAA")
    second.get_by_label("New password").fill("four odd words here")
    second.get_by_role("button", name="Set the new password").click()
    second.get_by_text("That name and code don't belong together.").wait_for()
    second.get_by_label("Recovery code").fill(code.lower())
    second.get_by_label("New password").fill("four odd words here")
    second.get_by_role("button", name="Set the new password").click()
    expect(second.locator("#code")).not_to_have_text(code)
    # Whoever was signed in elsewhere is out, at once.
    first.wait_for_selector("[data-state=signed_out]")
    sign_in(second, name, password="four odd words here")


def test_signing_out_elsewhere_closes_this_chat_and_says_so(
    server: Server,
    new_page: Callable[..., Any],
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    axe: Callable[..., None],
) -> None:
    name = somebody()
    here, there = new_page(), new_page()
    sign_in(here, name)
    here.locator("#box").fill("a draft of mine")
    sign_in(there, name)
    there.goto(f"{server.url}/me/devices/")
    there.get_by_role("button", name="Sign out everywhere else").click()
    there.get_by_text("Signed out on 1 other device.").wait_for()
    here.wait_for_selector("[data-state=signed_out]")
    expect(here.locator("[data-note]")).to_contain_text(
        "You're signed out. Sign in again to go on", use_inner_text=True
    )
    axe(here)
    here.locator("[data-signin]").click()
    here.get_by_label("User name").fill(name)
    here.get_by_label("Password").fill(PASSWORD)
    here.get_by_role("main").get_by_role("button", name="Sign in").click()
    here.wait_for_selector("[data-state=online]")
    expect(here.locator("#box")).to_have_value("a draft of mine")


def test_a_memory_is_seen_and_forgotten(
    *, server: Server, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None],
    remembered: Callable[..., None],
) -> None:  # fmt: skip
    sign_in(page, somebody())
    say(page, "i love skateboarding")
    page.goto(f"{server.url}/me/memory/")
    # It is learned by a job after the reply: the page is looked at until it is there.
    remembered(page, "skateboarding")
    page.reload()
    row = page.locator(".memory", has_text="skateboarding")
    row.locator("summary").click()
    row.get_by_role("button", name="Yes, forget it").click()
    page.get_by_text("Forgotten.").wait_for()
    expect(page.locator(".memory")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="What I remember")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".memory")).to_have_count(1)
    row.locator("summary").click()
    row.get_by_role("button", name="Yes, forget it").click()
    page.get_by_text("Forgotten.").wait_for()
    page.goto(f"{server.url}/me/memory/")
    expect(page.locator(".memory")).to_have_count(0)


def test_the_language_of_the_pages_can_be_changed(
    server: Server, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None]
) -> None:
    page.goto(server.url)
    english = page.get_by_role("heading", level=1).inner_text()
    page.get_by_label("Language of the pages").select_option("pt-br")
    page.get_by_role("button", name="Change").click()
    page.wait_for_selector("html[lang=pt-br]")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(english)
    page.goto(f"{server.url}/help/")
    expect(page.locator("html")).to_have_attribute("lang", "pt-br")
    page.locator("#language-choice").select_option("en")
    page.locator(".foot form button").click()
    page.wait_for_selector("html[lang=en]")
    sign_in(page, somebody())
    page.goto(f"{server.url}/me/")
    page.locator("#id_language").select_option("fr")
    page.locator("form:has(#id_language) button").click()
    page.wait_for_selector("html[lang=fr]")
    page.goto(f"{server.url}/chat/")
    page.wait_for_selector("[data-state=online]")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
