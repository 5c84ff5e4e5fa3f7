"""Help and the way out, in every state: in a crisis, offline, signed out, locked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.server import PASSWORD, Server
from tests.browser.test_chat import user_says

pytestmark = pytest.mark.browser
DANGER = "i want to kill myself and im not joking"


def test_a_crisis_card_is_pinned_and_can_be_called_and_stays_over_a_reload(
    page: Any,
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    say: Callable[..., None],
    axe: Callable[..., None],
) -> None:
    sign_in(page, somebody())
    say(page, DANGER)
    pin = page.locator("[data-pin]")
    pin.wait_for()
    expect(pin.locator('a[href="tel:988"]')).to_be_visible()
    expect(pin.locator('a[href^="sms:988"], a[href^="sms:741741"]').first).to_be_visible()
    expect(pin.locator('a[href="tel:911"]')).to_have_count(1)
    assert not page.get_by_text("I heard this").is_visible()
    expect(page.locator("[data-chips] button")).to_have_count(0)
    axe(page)
    # It stands above the log and not in it, so that no amount of talk moves it away.
    expect(page.locator("[data-log] [data-pin]")).to_have_count(0)
    say(page, "i dont know what to do")
    expect(pin).to_be_visible()
    assert not page.get_by_text("I heard this").is_visible()
    page.reload()
    page.wait_for_selector("[data-state=online]")
    expect(pin).to_be_visible()
    user_says(page, DANGER, "i dont know what to do")
    # The way out, once it is open: over a reload too. Help stays.
    out = page.locator("[data-chips] button", has_text="I'm safe now")
    expect(out).to_be_visible()
    out.click()
    user_says(page, DANGER, "i dont know what to do", "I'm safe now")
    expect(out).to_have_count(0)
    expect(pin).to_be_visible()


def test_a_crisis_answer_is_read_from_its_first_word(
    page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    page.set_viewport_size({"width": 375, "height": 640})
    say(page, DANGER)
    page.locator("[data-pin]").wait_for()
    expect(page.locator(".msg-companion .bubble.several")).to_be_visible()
    page.wait_for_function(
        """() => {
          const log = document.querySelector("[data-log]").getBoundingClientRect();
          const answer = document.querySelector(".msg-companion .bubble.several").getBoundingClientRect();
          return answer.top >= log.top - 1 && answer.top < log.bottom;
        }"""
    )


def test_help_opens_over_the_chat_and_closes_again(
    page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], axe: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    page.locator("#box").fill("half a thought")
    page.locator(".chat-top [data-help]").click()
    panel = page.locator("[data-panel]")
    expect(panel.locator('a[href="tel:988"]')).to_be_visible()
    expect(panel.locator('a[href="tel:911"]')).to_be_visible()
    axe(page)
    panel.get_by_role("button", name="Close").click()
    panel.wait_for(state="hidden")
    expect(page.locator("#box")).to_have_value("half a thought")


def test_help_opens_without_a_network(
    line: Line, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None], say: Callable[..., None]
) -> None:
    sign_in(page, somebody(), at=line.url)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.match('/help/', {ignoreVary: true}).then(Boolean)")
    line.cut()
    page.wait_for_selector("[data-state=reconnecting]")
    page.locator(".chat-top [data-help]").click()
    expect(page.locator("[data-panel] a[href='tel:988']")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    # A message in danger that can't go out: the card comes from the page itself, at once.
    say(page, "i want to die", wait=False)
    page.locator("[data-pin] a[href='tel:988']").wait_for()
    # And any page opens as the help page.
    page.goto(f"{line.url}/chat/earlier/")
    expect(page.locator("a[href^='tel:']").first).to_be_visible()
    expect(page.locator("[data-offline]")).to_be_visible()


def test_leaving_quickly_opens_a_neutral_page_and_locks_until_the_password(
    *,
    server: Server,
    page: Any,
    heard: Any,
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    say: Callable[..., None],
) -> None:
    page.goto(f"{server.url}/help/")
    sign_in(page, somebody())
    say(page, "nobody else should read this")
    page.goto(f"{server.url}/help/")
    page.goto(f"{server.url}/chat/")
    page.wait_for_selector("[data-state=online]")
    page.locator("#box").fill("half a thought")
    other = page.context.new_page()
    heard.listen(other)
    other.goto(f"{server.url}/me/")
    page.get_by_role("link", name="Leave quickly").first.click()
    page.wait_for_url("**/leave/")
    expect(page).to_have_title("Units at a glance")
    expect(page.locator("body")).not_to_contain_text("Abraço", use_inner_text=True)
    # The other tab is covered too, and going back or typing an address leads nowhere.
    other.locator("[data-cover]").wait_for()
    kept = "() => Object.keys(localStorage).filter((key) => key.startsWith('abraco.draft'))"
    assert page.evaluate(kept) == []
    page.go_back()
    page.wait_for_url("**/leave/")
    expect(page).to_have_title("Units at a glance")
    assert page.evaluate(kept) == []
    page.goto(f"{server.url}/chat/")
    page.wait_for_url("**/account/unlock/**")
    expect(page.get_by_role("link", name="Help").first).to_be_visible()
    page.get_by_label("Password").fill("not the one")
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_text("That isn't the password of this account.").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_text("I heard this: nobody else should read this.").wait_for()


def test_esc_twice_leaves_from_the_chat_and_from_a_page_for_everybody(
    server: Server, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None]
) -> None:
    sign_in(page, somebody())
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url("**/leave/")
    page.goto(f"{server.url}/help/")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url("**/leave/")


def test_one_esc_right_after_the_page_came_leaves_nothing(server: Server, page: Any) -> None:
    page.add_init_script("addEventListener('load', () => dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'})))")
    page.goto(f"{server.url}/about/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.documentElement.dataset.locked") is None
    assert page.url.endswith("/about/")


def test_signed_out_help_knows_a_country(server: Server, page: Any) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Help").first.click()
    page.get_by_label("Country").select_option("BR")
    page.get_by_role("button", name="Show").click()
    page.locator('a[href="tel:188"]').wait_for()
    expect(page.locator('a[href="tel:192"]')).to_have_count(1)
    page.goto(f"{server.url}/help/")
    expect(page.get_by_label("Country")).to_have_value("BR")
