"""Off the record: the switch by the box, what it says, and that it holds over whatever happens to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.server import Server

pytestmark = pytest.mark.browser
SignIn = Callable[..., None]
Say = Callable[..., None]
LABEL = "Not remembered. Still checked for danger."
DANGER = "i want to kill myself and im not joking"

_PAUSED = """
import django, sys
django.setup()
from chatbot.accounts.models import User
from chatbot.accounts.services import memory_pause
memory_pause(User.objects.get(username=sys.argv[1]), paused=True)
"""


def switch(page: Any) -> Any:
    return page.get_by_role("button", name="Off the record")


def marked(page: Any) -> list[bool]:
    """Which bubbles of the log are off the record, in order."""
    found: list[bool] = page.evaluate(
        "() => [...document.querySelectorAll('[data-list] > .msg')].map((node) => node.matches('.off-record'))"
    )
    return found


def test_it_says_what_it_is_holds_over_a_reload_and_nothing_is_remembered(
    *, house: Server, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say, axe: Callable[..., None],
    remembered: Callable[..., None],
) -> None:  # fmt: skip
    sign_in(page, somebody())
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text(LABEL)).to_be_hidden()
    box = switch(page).bounding_box()
    assert box["height"] >= 44
    say(page, "i love kiwis")
    switch(page).click()
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(LABEL)).to_be_visible()
    say(page, "i love unicycles")
    assert marked(page) == [False, False, True, True]
    expect(page.locator(".msg-user .msg-off")).to_have_text("Off the record", use_inner_text=True)
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, colours=True)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320

    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(page.get_by_text(LABEL)).to_be_visible()
    say(page, "i love xylophones")
    switch(page).click()
    expect(page.get_by_text(LABEL)).to_be_hidden()
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    say(page, "i love maps")
    assert marked(page) == [False, False, True, True, True, True, False, False]

    for word in ("kiwis", "maps"):
        remembered(page, word)
    page.goto(f"{house.url}/me/memory/")
    expect(page.get_by_text("You like kiwis.")).to_be_visible()
    assert "unicycles" not in page.content()
    assert "xylophones" not in page.content()
    # It stands in one's own transcript, and says what it is.
    page.goto(f"{house.url}/chat/earlier/")
    page.locator("main .list a, main ul a").first.click()
    expect(page.locator(".msg.off-record")).to_have_count(4)
    expect(page.locator(".msg-user.off-record .msg-off").first).to_contain_text("Off the record")
    axe(page)


def test_another_device_begins_where_the_talk_is(
    *, new_page: Callable[..., Any], somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    here, there = new_page(), new_page()
    name = somebody()
    sign_in(here, name)
    switch(here).click()
    say(here, "just thinking aloud")
    sign_in(there, name)
    expect(switch(there)).to_have_attribute("aria-pressed", "true")
    # The tap is newer than what was said last, over a reload too.
    switch(there).click()
    there.reload()
    there.wait_for_selector("[data-state=online]")
    expect(switch(there)).to_have_attribute("aria-pressed", "false")


def test_without_a_line_a_message_waits_as_it_was_meant(
    *, line: Line, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say, remembered: Callable[..., None]
) -> None:
    sign_in(page, somebody(), at=line.url)
    switch(page).click()
    line.cut()
    page.wait_for_selector("[data-state=reconnecting]")
    expect(page.get_by_text(LABEL)).to_be_visible()
    say(page, "i love unicycles", wait=False)
    page.locator(".msg.waiting.off-record").wait_for()
    switch(page).click()
    say(page, "i love kiwis", wait=False)
    line.mend()
    page.get_by_text("I heard this: i love kiwis.").wait_for()
    assert marked(page) == [True, False, True, False]  # two questions, then their answers
    remembered(page, "kiwis")
    assert "unicycles" not in page.evaluate("async () => (await (await fetch('/me/memory/')).text())")


def test_a_correction_off_the_record_is_one(
    *,
    server: Server,
    page: Any,
    somebody: Callable[[], str],
    sign_in: SignIn,
    say: Say,
    remembered: Callable[..., None],
) -> None:
    sign_in(page, somebody())
    say(page, "i love unicycles")
    remembered(page, "unicycles")
    switch(page).click()
    page.locator(".msg-user .msg-more:visible").last.click()
    page.get_by_role("button", name="Edit").click()
    page.locator("#box").fill("i love unicycles a bit")
    page.locator("[data-send]").click()
    page.get_by_text("I heard this: i love unicycles a bit.").wait_for()
    assert marked(page) == [True, True]
    page.goto(f"{server.url}/me/memory/")
    expect(page.locator(".memory")).to_have_count(0)


def test_danger_is_answered_there_as_ever(*, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say) -> None:
    sign_in(page, somebody())
    switch(page).click()
    say(page, DANGER)
    page.locator('[data-pin] a[href="tel:988"]').first.wait_for()
    assert not page.get_by_text("I heard this").is_visible()


def test_where_nothing_is_remembered_there_is_no_switch(
    *, server: Server, page: Any, somebody: Callable[[], str], sign_in: SignIn, say: Say
) -> None:
    name = somebody()
    sign_in(page, name)
    switch(page).click()
    server.python(_PAUSED, name)
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(page.locator("[data-record]")).to_be_hidden()
    expect(page.get_by_text(LABEL)).to_be_hidden()
    say(page, "hello there")
    assert marked(page) == [False, False]


@pytest.mark.parametrize(
    ("language", "words", "label"),
    [
        ("pt-BR", "Sem memória", "Não fica na memória. A checagem de perigo continua."),
        ("es", "Sin memoria", "No queda en la memoria. Se sigue revisando si hay peligro."),
        ("fr", "Sans mémoire", "Rien n'est retenu. Les signes de danger sont toujours vérifiés."),
    ],
)
def test_it_says_so_in_each_language_on_a_small_phone(
    *, server: Server, new_page: Callable[..., Any], language: str, words: str, label: str
) -> None:
    page = new_page(viewport={"width": 320, "height": 640}, locale=language)
    name = server.newcomer(f"off-{language.lower()}", language=language)
    page.goto(f"{server.url}/account/login/")
    page.locator("#id_login").fill(name)
    page.locator("#id_password").fill("abraco-demo")
    page.locator("main .btn-main").first.click()
    page.wait_for_selector("[data-state=online]")
    page.get_by_role("button", name=words).click()
    expect(page.get_by_text(label)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
