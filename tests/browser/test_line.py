"""Lines break, pages are reloaded: nothing that was written is lost, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.test_chat import user_says
from tests.browser.told import SLOW

pytestmark = pytest.mark.browser


def test_a_reload_in_the_middle_of_a_reply_loses_nothing(
    page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    say(page, "slowly, i will come back", wait=False)
    page.get_by_text(SLOW[0]).wait_for()
    page.locator("#box").fill("a thought for later")
    page.reload()
    page.wait_for_selector("[data-state=online]")
    page.wait_for_selector(".msg-companion[data-id]")
    said = page.locator(".msg-companion .bubble").inner_text()
    assert [said.count(part) for part in SLOW] == [1] * len(SLOW)
    user_says(page, "slowly, i will come back")
    expect(page.locator("#box")).to_have_value("a thought for later")


def test_without_a_line_the_message_waits_and_goes_out_once(
    line: Line, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody(), at=line.url)
    line.cut()
    page.wait_for_selector("[data-state=reconnecting]")
    expect(page.locator("[data-note]")).to_contain_text("nothing is lost", use_inner_text=True)
    say(page, "written in a tunnel", wait=False)
    page.get_by_text("Saved here. Goes out when the connection is back.").wait_for()
    page.locator("#box").fill("not sent yet")
    line.mend()
    page.wait_for_selector("[data-state=online]")
    page.get_by_text("I heard this: written in a tunnel.").wait_for()
    page.locator(".msg.waiting").wait_for(state="detached")
    user_says(page, "written in a tunnel")
    expect(page.locator("#box")).to_have_value("not sent yet")
    page.reload()
    page.get_by_text("I heard this: written in a tunnel.").wait_for()
    user_says(page, "written in a tunnel")
    expect(page.locator("#box")).to_have_value("not sent yet")


def test_a_line_that_breaks_in_the_middle_of_a_reply_goes_on_where_it_was(
    line: Line, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody(), at=line.url)
    say(page, "slowly, the line will break", wait=False)
    page.get_by_text(SLOW[0]).wait_for()
    line.cut()
    page.wait_for_selector("[data-state=reconnecting]")
    line.mend()
    page.wait_for_selector("[data-state=online]")
    page.wait_for_selector(".msg-companion[data-id]")
    said = page.locator(".msg-companion .bubble").inner_text()
    assert [said.count(part) for part in SLOW] == [1] * len(SLOW)
    user_says(page, "slowly, the line will break")


def test_a_message_that_was_written_offline_survives_closing_the_page(
    line: Line, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody(), at=line.url)
    line.cut()
    page.wait_for_selector("[data-state=reconnecting]")
    say(page, "sent from the train", wait=False)
    page.locator(".msg.waiting").wait_for()
    context = page.context
    page.close()
    line.mend()
    later = context.new_page()
    later.goto(f"{line.url}/chat/")
    later.get_by_text("I heard this: sent from the train.").wait_for()
    user_says(later, "sent from the train")
