"""What the companion draws of itself: in the colour that was chosen, and with what its character wears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Heard
from tests.browser.server import Server

pytestmark = pytest.mark.browser

SHAPE = """
import django, sys
django.setup()
from chatbot.accounts.models import User
from companion.profile.services import companion_shape
person = User.objects.get(username=sys.argv[1])
companion_shape(owner_id=person.id, name="Pixel", colour="plum", persona=sys.argv[2], playful=50, curious=50, gentle=50)
"""
PLUM = "rgb(201, 164, 240)"
# The real module draws the real file, on the page as it is.
DRAW = """async (name) => {
  const { draw } = await import("/static/js/chat/drawing.js");
  const place = Object.assign(document.createElement("div"), { className: "picture" });
  document.querySelector("[data-list]").append(place);
  await draw(place, `/static/stickers/${name}.svg`);
  return [...place.querySelectorAll("[class^=face-]")].map((part) => part.getAttribute("class"));
}"""


@pytest.fixture
def chat_with(
    server: Server, page: Any, somebody: Callable[[], str], sign_in: Callable[..., None]
) -> Callable[[str], Any]:
    """`chat_with("owl")`: somebody's open chat with a plum companion of that character."""

    def do(persona: str) -> Any:
        name = somebody()
        server.python(SHAPE, name, persona)
        sign_in(page, name)
        return page

    return do


def test_a_selfie_has_the_colour_and_keeps_it_over_a_reload(
    chat_with: Callable[[str], Any], say: Callable[..., None], axe: Callable[..., None]
) -> None:
    page = chat_with("classic")
    say(page, "selfie")
    for _ in range(2):
        skin = page.locator(".picture svg circle[fill='#FFC73A']").first
        expect(skin).to_have_css("fill", PLUM)
        expect(page.locator(".drawing figcaption")).to_be_visible()
        assert round(page.locator(".picture").bounding_box()["height"]) == 160
        page.reload()
        page.wait_for_selector("[data-state=online]")
    axe(page)


@pytest.mark.parametrize(("persona", "wears"), [("classic", 0), ("owl", 3), ("spark", 1), ("biscuit", 2)])
def test_a_drawing_wears_what_the_character_wears_unless_it_is_dressed_up(
    chat_with: Callable[[str], Any], persona: str, wears: int
) -> None:
    page = chat_with(persona)
    assert len(page.evaluate(DRAW, "cactus-hug")) == wears
    assert page.evaluate(DRAW, "detective") == []


def test_without_a_line_the_caption_stands_alone_and_nothing_breaks(
    new_page: Callable[..., Any],
    somebody: Callable[[], str],
    sign_in: Callable[..., None],
    say: Callable[..., None],
    heard: Heard,
) -> None:
    page = new_page(service_workers="block")  # what goes by way of the worker can't be cut off from here
    sign_in(page, somebody())
    page.route("**/stickers/*", lambda route: route.abort())
    say(page, "selfie")
    expect(page.locator(".drawing figcaption")).to_be_visible()
    expect(page.locator(".picture svg")).to_have_count(0)
    heard.problems[:] = [one for one in heard.problems if "blocked by Playwright" not in one]
