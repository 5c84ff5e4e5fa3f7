"""The companion on somebody's page: another site, a strict policy, third-party cookies blocked. On both houses.

The page is examples/host, as site owners copy it, on `localhost`; the house answers on `127.0.0.1`: two sites.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Heard, daytime_zone
from tests.browser.server import Server
from tests.service.ports import free_port
from tests.widget.example import example

pytestmark = pytest.mark.browser

FRAME_BYTES = 60 * 1024
BUTTON = "[data-abraco] button.go"
DANGER = "i want to kill myself and im not joking"
BLOCKED = {
    "enableThirdPartyCookieRestriction": True,
    "disableThirdPartyCookieMetadata": True,
    "disableThirdPartyCookieHeuristics": True,
}


@dataclass
class Host:
    """Somebody's site, with the visitor who is signed in there."""

    house: Server
    example: Any
    opened: list[Any] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.example.server_port}"

    def visitor(self, **changes: Any) -> None:
        """Somebody new is signed in there."""
        named = {"sub": uuid.uuid4().hex, "band": "13-15", "country": "US", "region": "US-CA", "tz": daytime_zone()}
        self.example.visitor = {**named, **changes}


def _served(house: Server) -> Iterator[Host]:
    port = free_port()
    said = house.manage("site", "--add", "Northside School", "--origin", f"http://localhost:{port}").split()
    served = example.Host(("localhost", port), house=house.url, site=said[1], secret=said[3], visitor={})
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield Host(house, served)
    served.shutdown()
    served.server_close()
    thread.join(timeout=5)


@pytest.fixture(scope="module")
def _by_house(house: Server) -> Iterator[Host]:
    yield from _served(house)


@pytest.fixture(scope="module")
def _by_server(server: Server) -> Iterator[Host]:
    yield from _served(server)


@pytest.fixture
def host(_by_house: Host) -> Host:
    """Somebody's site before either house, with a visitor whom no other test has."""
    _by_house.visitor()
    return _by_house


@pytest.fixture
def page_host(_by_server: Host) -> Host:
    """As `host`, before the plain server alone: for what only the page is about."""
    _by_server.visitor()
    return _by_server


@pytest.fixture
def visit(new_page: Callable[..., Any]) -> Callable[..., Any]:
    """`visit(host)`: a page of the host's, with third-party cookies blocked. `path`: "/" or "/strict"."""

    def do(host: Host, path: str = "/strict", **options: Any) -> Any:
        page = new_page(**options)
        page.context.new_cdp_session(page).send("Network.setCookieControls", BLOCKED)
        page.goto(f"{host.origin}{path}")
        page.locator(BUTTON).wait_for()
        return page

    return do


def inside(page: Any) -> Any:
    return page.frame_locator("[data-abraco] iframe")


def opened(page: Any, *, deal: bool = True) -> Any:
    """Opens the chat by the button, and says yes to the deal."""
    page.locator(BUTTON).click()
    frame = inside(page)
    if deal:
        frame.locator("[data-deal]:enabled").click()
    frame.locator("[data-state=online]").wait_for()
    return frame


def within(page: Any) -> Any:
    """The frame's own document, for axe and for scripts."""
    return next(one for one in page.frames if "/widget/v1/frame/" in one.url)


def said(frame: Any, words: str) -> None:
    before = frame.locator(".msg-companion[data-id]").count()
    frame.locator("#box").fill(words)
    frame.locator("[data-send]").click()
    frame.locator(".msg-companion[data-id]").nth(before).wait_for()


def test_on_another_site_under_a_strict_policy_somebody_reads_the_deal_and_talks(
    host: Host, visit: Callable[..., Any], axe: Callable[..., None]
) -> None:
    page = visit(host)
    cookies: list[str] = []
    page.on("request", lambda asked: cookies.extend(v for k, v in asked.headers.items() if k == "cookie"))
    page.on("response", lambda got: cookies.extend(v for k, v in got.headers.items() if k == "set-cookie"))
    box = page.locator(BUTTON).bounding_box()
    assert box["height"] >= 44
    assert box["width"] >= 44
    axe(page)
    page.locator(BUTTON).click()
    frame = inside(page)
    frame.locator("[data-deal]:enabled").wait_for()
    expect(frame.get_by_text("never sees what you say")).to_be_visible()
    expect(frame.locator("[data-ai]")).to_have_text("AI", use_inner_text=True)
    axe(page)
    axe(within(page))
    frame.locator("[data-deal]").click()
    expect(frame.locator(".slip-disclosure")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 600})
    for always in ("[data-help]", "[data-leave-now]", "[data-close]", "[data-ai]"):
        expect(frame.locator(always)).to_be_visible()
    assert within(page).evaluate("document.documentElement.scrollWidth") <= 320
    said(frame, "hello from another site")
    expect(frame.get_by_text("I heard this: hello from another site.")).to_be_visible()
    expect(frame.locator("[data-record]")).to_be_hidden()  # nothing is remembered of visitors: there is no record
    axe(within(page))
    assert cookies == []
    assert page.context.cookies() == []


def test_help_is_one_tap_away_from_the_first_moment_and_danger_gets_its_card(
    host: Host, visit: Callable[..., Any], axe: Callable[..., None]
) -> None:
    page = visit(host)
    page.locator(BUTTON).click()
    frame = inside(page)
    frame.locator("[data-deal]:enabled").wait_for()
    frame.locator("[data-help]").click()
    expect(frame.locator('[data-panel] a[href="tel:988"]')).to_be_visible()
    frame.locator("[data-panel]").get_by_role("button", name="Close").click()
    frame.locator("[data-deal]").click()
    frame.locator("#box").fill(DANGER)
    frame.locator("[data-send]").click()
    frame.locator('[data-pin] a[href="tel:988"]').first.wait_for()
    assert not frame.get_by_text("I heard this").is_visible()
    axe(within(page))


def test_the_keyboard_opens_closes_and_comes_back_to_where_it_was(page_host: Host, visit: Callable[..., Any]) -> None:
    page = visit(page_host, "/", viewport={"width": 1280, "height": 800}, has_touch=False)
    page.locator(BUTTON).focus()
    page.keyboard.press("Enter")
    frame = inside(page)
    frame.locator("[data-deal]:enabled").wait_for()
    page.wait_for_function("() => document.activeElement.matches('[data-abraco]')")
    frame.locator("#deal-title:focus").wait_for()
    frame.locator("[data-deal]").press("Enter")
    frame.locator("#box:focus").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("[data-abraco] dialog")).to_be_hidden()
    expect(page.locator(BUTTON)).to_be_focused()
    page.keyboard.press("Enter")
    frame.locator("#box:focus").wait_for()
    expect(page.locator(BUTTON)).to_have_attribute("aria-expanded", "true")


def test_leaving_quickly_takes_the_chat_away_locks_it_and_says_nothing_more(
    page_host: Host, visit: Callable[..., Any]
) -> None:
    page = visit(page_host, "/", viewport={"width": 1280, "height": 800}, has_touch=False)
    page.evaluate("() => { window.heardLeft = []; abraco('on', 'left', (more) => heardLeft.push(more)); }")
    frame = opened(page)
    said(frame, "a poem about my cat")
    frame.locator("[data-leave-now]").click()
    page.locator("[data-abraco] iframe").wait_for(state="detached")
    page.wait_for_function("heardLeft.length === 1 && heardLeft[0] === undefined")
    page.locator(BUTTON).click()
    frame = inside(page)
    frame.locator("[data-unlock]").wait_for()
    assert not frame.get_by_text("a poem about my cat").is_visible()
    expect(frame.locator("[data-help]")).to_be_visible()
    frame.locator("[data-unlock]").click()
    frame.get_by_text("I heard this: a poem about my cat.").wait_for()
    for _twice in range(2):
        page.keyboard.press("Escape")
    page.locator("[data-abraco] iframe").wait_for(state="detached")


def test_a_new_connection_asks_the_site_again_and_the_talk_goes_on(host: Host, visit: Callable[..., Any]) -> None:
    page = visit(host, "/")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/abraco-identity") else None)
    frame = opened(page)
    said(frame, "before the line breaks")
    child = within(page)
    child.evaluate("dispatchEvent(new Event('offline'))")
    frame.locator("[data-state=offline]").wait_for()
    child.evaluate("dispatchEvent(new Event('online'))")
    frame.locator("[data-state=online]").wait_for()
    said(frame, "after it")
    assert len(asked) == 2
    expect(frame.locator(".msg-user")).to_have_count(2)


def test_an_identity_that_was_given_once_ends_with_its_connection_and_help_stays(
    page_host: Host, visit: Callable[..., Any], heard: Heard
) -> None:
    page = visit(page_host)
    frame = opened(page)
    said(frame, "before the line breaks")
    child = within(page)
    child.evaluate("dispatchEvent(new Event('offline'))")
    frame.locator("[data-state=offline]").wait_for()
    child.evaluate("dispatchEvent(new Event('online'))")
    frame.locator("[data-note]", has_text="Reload the page").wait_for()
    expect(frame.get_by_text("I heard this: before the line breaks.")).to_be_visible()
    frame.locator("[data-help]").click()
    expect(frame.locator('[data-panel] a[href="tel:988"]')).to_be_visible()
    heard.problems.clear()


def test_unread_answers_are_counted_on_the_button(page_host: Host, visit: Callable[..., Any]) -> None:
    page = visit(page_host, "/", viewport={"width": 1280, "height": 800}, has_touch=False)
    frame = opened(page)
    frame.locator("#box").fill("slowly please")
    frame.locator("[data-send]").click()
    frame.get_by_text("Here is part one of it.").wait_for()
    page.locator(BUTTON).click()
    page.locator("[data-abraco] .badge", has_text="1").wait_for()
    page.locator(BUTTON).click()
    page.locator("[data-abraco] .badge").wait_for(state="hidden")


def test_the_day_s_limit_holds_in_the_widget_too(host: Host, visit: Callable[..., Any]) -> None:
    page = visit(host, "/")
    frame = opened(page)
    said(frame, "before the limit")
    host.house.python(
        "import django; django.setup()\n"
        "from chatbot.accounts.models import TimeLimits\n"
        "from chatbot.widget.models import Visitor\n"
        "from django.utils.dateparse import parse_time\n"
        "person = Visitor.objects.order_by('since').last().person\n"
        "TimeLimits.objects.filter(person=person).update(minutes_a_day=0)\n"
    )
    frame.locator("#box").fill("one more thing")
    frame.locator("[data-send]").click()
    frame.locator(".slip-limit").wait_for()
    expect(frame.locator("#box")).to_have_value("one more thing")
    frame.locator("[data-help]").click()
    expect(frame.locator('[data-panel] a[href="tel:988"]')).to_be_visible()


def test_a_replayed_an_expired_and_a_foreign_identity_open_nothing(
    host: Host, visit: Callable[..., Any], heard: Heard
) -> None:
    key, secret = host.example.site, host.example.secret
    good = example.identity(key, secret, **host.example.visitor)
    page = visit(host, "/")
    page.evaluate("() => { window.codes = []; abraco('on', 'error', (more) => codes.push(more.code)); }")
    late = example.sign(secret, {"aud": key, "exp": 1, "nonce": uuid.uuid4().hex, **host.example.visitor})
    other = example.identity("site_of_another", secret, **host.example.visitor)
    forged = example.identity(key, "not-the-secret", **host.example.visitor)
    page.evaluate("token => abraco('identify', token)", good)
    opened(page)
    for token, code in ((good, "replayed"), (late, "clock"), (other, "foreign"), (forged, "bad_signature")):
        page.reload()
        page.evaluate("() => { window.codes = []; abraco('on', 'error', (more) => codes.push(more.code)); }")
        page.evaluate("token => abraco('identify', token)", token)
        page.locator(BUTTON).click()
        page.wait_for_function("code => codes.includes(code)", arg=code)
        words = inside(page).locator("[data-over-words]")
        expect(words).to_have_text(re.compile(r"\.\s*$"))
        expect(inside(page).locator(".dock[inert]")).to_have_count(1)
        expect(inside(page).locator("[data-help]")).to_be_visible()
    assert all(code in " ".join(heard.problems) for code in ("replayed", "clock", "foreign", "bad_signature"))
    heard.problems.clear()


def test_a_ticket_opens_one_socket_here_and_none_anywhere_else(host: Host, visit: Callable[..., Any]) -> None:
    page = visit(host, "/")
    opened(page)
    child = within(page)
    ticket = """([site, origin, identity]) => fetch("/widget/v1/ticket", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({site, origin, identity}),
    }).then((got) => got.json()).then((got) => got.ticket)"""
    hello = """([ticket, site, origin]) => new Promise((done) => {
        const line = new WebSocket(location.origin.replace("http", "ws") + "/ws/chat", ["abraco.v1"]);
        line.onopen = () => line.send(JSON.stringify({type: "hello", ticket, site, origin}));
        line.onmessage = () => { done("ready"); line.close(); };
        line.onclose = (event) => done([event.code, event.reason]);
    })"""

    def fresh() -> str:
        got: str = child.evaluate(ticket, [host.example.site, host.origin, host.example.identity()])
        return got

    secret = fresh()
    assert child.evaluate(hello, [secret, host.example.site, host.origin]) == "ready"
    code, reason = child.evaluate(hello, [secret, host.example.site, host.origin])
    assert code == 4401
    assert "too old" in reason
    assert child.evaluate(hello, [fresh(), host.example.site, "https://evil.example"])[0] == 4403
    assert child.evaluate(hello, [fresh(), "site_of_another", host.origin])[0] == 4403


def test_a_page_of_another_origin_shows_a_sentence_and_no_chat(
    page_host: Host, new_page: Callable[..., Any], heard: Heard
) -> None:
    page = new_page()
    page.goto(
        f"http://127.0.0.1:{page_host.example.server_port}/strict"
    )  # the same page under a name that isn't listed
    page.locator(BUTTON).click()
    page.locator("[data-abraco]").get_by_text("isn't allowed to show Abraço").wait_for()
    expect(page.locator("[data-abraco] iframe")).to_have_count(0)
    expect(page.locator("[data-abraco]").get_by_role("link", name="Help now")).to_be_visible()
    assert any("frame-ancestors" in one for one in heard.problems)
    heard.problems.clear()


def test_without_the_script_the_frame_alone_works_and_its_identity_leaves_the_address(
    page_host: Host, new_page: Callable[..., Any]
) -> None:
    page = new_page()
    page.goto(f"{page_host.origin}/frame")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("This opens somebody's chat at Northside School")).to_be_visible()
    frame.locator("[data-yes]").click()
    frame.locator("[data-deal]:enabled").click()
    said(frame, "without any script of theirs")
    child = within(page)
    assert "identity" not in child.evaluate("location.href")
    expect(frame.locator("[data-close]")).to_be_hidden()


def test_a_link_with_somebody_s_identity_asks_who_is_there_before_anything_opens(
    page_host: Host, new_page: Callable[..., Any], axe: Callable[..., None]
) -> None:
    house, origin = page_host.house, f"http://localhost:{free_port()}"
    added = house.manage("site", "--add", "Eastside School", "--origin", origin, "--webview").split()
    key, secret = added[added.index("site") + 1], added[added.index("secret") + 1]

    def link(name: object) -> str:
        given = example.identity(key, secret, **{**page_host.example.visitor, "name": name})
        return f"{house.url}/widget/v1/frame/{key}/#identity={given}"

    first = new_page()
    first.goto(link("Zoë <b>"))
    expect(first.get_by_role("heading", name="Is this you?")).to_be_focused()
    expect(first.get_by_text("Eastside School says that you're Zoë <b>.")).to_be_visible()
    expect(first.locator(".dock[inert]")).to_have_count(1)
    expect(first.locator("[data-help]")).to_be_visible()
    axe(first)
    first.locator("[data-yes]").click()
    first.locator("[data-deal]:enabled").click()
    first.locator("[data-state=online]").wait_for()
    said(first, "the aubergine rehearsal went sideways")
    other = new_page()
    asked: list[str] = []
    other.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)
    other.goto(link({"odd": 1}))  # no name that could be shown
    expect(other.locator("[data-who]")).to_be_hidden()
    other.locator("[data-no]").click()
    expect(other.locator("[data-over-words]")).to_have_text(re.compile("nothing was opened"))
    expect(other.locator("[data-help]")).to_be_visible()
    assert asked == []
    other.goto("about:blank")
    other.goto(link("Zoë"))
    other.locator("[data-yes]").click()
    other.locator("[data-state=online]").wait_for()
    expect(other.get_by_text("aubergine")).to_have_count(0)


def test_everything_about_a_visitor_goes_by_two_taps_in_the_menu(host: Host, visit: Callable[..., Any]) -> None:
    page = visit(host, "/")
    frame = opened(page)
    said(frame, "the aubergine rehearsal went sideways")
    frame.locator("[data-menu-button]").click()
    frame.locator("[data-forget]").click()
    frame.locator("[data-forget]").click()
    # Said twice for a moment: to screen readers, and in place of the chat.
    expect(frame.locator("[data-over-words]")).to_have_text(re.compile("^Deleted. Only how long you talked today"))
    expect(frame.get_by_text("aubergine")).to_have_count(0)
    page.reload()
    page.locator(BUTTON).click()
    inside(page).locator("[data-deal]:enabled").wait_for()
    expect(inside(page).get_by_text("aubergine")).to_have_count(0)


def test_the_frame_costs_less_than_its_budget(page_host: Host, visit: Callable[..., Any]) -> None:
    page = visit(page_host)
    got: dict[str, Any] = {}
    page.on("response", lambda one: got.setdefault(one.url, one))
    frame = opened(page)
    said(frame, "how heavy are you")
    page.wait_for_load_state("networkidle")
    ours = [(url, one) for url, one in got.items() if url.startswith(page_host.house.url)]  # asking lets more come
    sizes = {url: one.request.sizes()["responseBodySize"] for url, one in ours}
    assert len(sizes) > 10
    assert sum(sizes.values()) < FRAME_BYTES, sizes
    assert not any("sw.js" in url for url in sizes)
