"""What is one's own, in a real browser, in both houses: a copy of everything, what a guardian sees, other devices, the
way out for good."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.server import PASSWORD, Server

pytestmark = pytest.mark.browser

HOSTILE = '<script>document.title="owned"</script> plumbago'
LINK = """
import django, sys
django.setup()
from chatbot.accounts.models import Guardianship, Role, User
from chatbot.accounts.services import guardianship_start
guardian = User(username=f"parent-{sys.argv[1]}", role=Role.GUARDIAN)
guardian.set_password("abraco-demo")
guardian.save()
guardianship_start(teen=User.objects.get(username=sys.argv[1]), guardian=guardian)
print(User.objects.get(username=sys.argv[1]).id)
"""
# Every table that names the person, sign-ins opened; but for the trail, and what waits for the second look.
LEFT = """
import django, sys
django.setup()
from django.db import connection
from chatbot.accounts.models import SignIn, User
marks = (sys.argv[1], sys.argv[1].replace("-", ""))
left = {"a sign-in" for row in SignIn.objects.all() if marks[0] in str(row.get_decoded())}
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{table}"')
        if any(mark in str(value) for row in cursor.fetchall() for value in row for mark in marks):
            left.add(table)
print(sorted(left - {"core_auditentry", "accounts_erasurerequest", "core_personkey"}))
"""
ID = """
import django, sys
django.setup()
from chatbot.accounts.models import User
print(User.objects.get(username=sys.argv[1]).id)
"""
SECTIONS = """() => [...document.querySelectorAll(".seen-part")].map((part) => {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("form").forEach((form) => form.remove());
  return copy.textContent.replace(/\\s+/g, " ").trim();
})"""
CACHED = """async () => {
  const texts = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) texts.push(request.url, await (await cache.match(request)).text());
  }
  return texts.join("\\n");
}"""


@pytest.fixture
def chats(sign_in: Callable[..., None], say: Callable[..., None], somebody: Callable[[], str]) -> Callable[..., str]:
    """`chats("hello", page, ...)`: somebody whom no other test has signs in on each page and says it on the last one.
    Their name."""

    def do(words: str, *pages: Any) -> str:
        name = somebody()
        for page in pages:
            sign_in(page, name)
        say(pages[-1], words)
        return name

    return do


def _save(page: Any, name: str, where: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    path = where / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_copy_is_asked_for_made_saved_and_opens_without_a_network(
    house: Server,
    new_page: Callable[..., Any],
    chats: Callable[..., str],
    axe: Callable[..., None],
    tmp_path: Path,
) -> None:
    page = new_page()
    name = chats(HOSTILE, page)
    page.goto(f"{house.url}/me/")
    page.get_by_role("link", name="Take everything with you").click()
    axe(page)
    page.get_by_role("button", name="Make my copy").click()
    page.get_by_role("heading", name="Your copy is ready").wait_for()
    axe(page)
    data, sheet = _save(page, "Data, for programs", tmp_path), _save(page, "A page to read", tmp_path)
    found = json.loads(data.read_text(encoding="utf-8"))
    assert found["account"]["user_name"] == name
    assert HOSTILE in [one["text"] for talk in found["conversations"] for one in talk["messages"]]

    read = new_page()
    read.context.set_offline(True)
    read.goto(sheet.as_uri())
    expect(read).to_have_title(f"Everything about {name} · Abraço")
    expect(read.locator("script, img, link, iframe")).to_have_count(0)
    expect(read.get_by_text(HOSTILE, exact=True)).to_be_visible()
    axe(read)
    read.emulate_media(color_scheme="dark")
    axe(read, colours=True)
    assert read.evaluate("document.documentElement.scrollWidth") <= 375
    # What the browser keeps for days without a network holds nothing of it either.
    page.goto(f"{house.url}/chat/")
    page.wait_for_selector("[data-state=online]")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    kept = page.evaluate(CACHED)
    assert "/help/" in kept
    assert "plumbago" not in kept
    assert name not in kept


def test_memories_are_saved_forgotten_and_brought_back_from_the_file(
    *,
    house: Server,
    new_page: Callable[..., Any],
    chats: Callable[..., str],
    remembered: Callable[..., None],
    axe: Callable[..., None],
    tmp_path: Path,
) -> None:
    page = new_page()
    chats("i love skateboarding. my favourite colour is green", page)
    remembered(page, "skateboarding")
    page.goto(f"{house.url}/me/memory/")
    saved = _save(page, "Save as a file", tmp_path)
    page.get_by_role("link", name="Forget everything").click()
    page.get_by_role("button", name="Forget everything").click()
    expect(page.locator(".memory")).to_have_count(0)

    copy = json.loads(saved.read_text(encoding="utf-8"))
    copy["memory"].append({**copy["memory"][0], "kind": "like", "value": "going to church", "who": ""})
    saved.write_text(json.dumps(copy), encoding="utf-8")
    page.get_by_role("link", name="Bring back from a file").click()
    axe(page)
    page.get_by_label("Your file").set_input_files(saved)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("heading", name="What came in").wait_for()
    expect(page.get_by_text("You like skateboarding.")).to_be_visible()
    expect(page.locator("li", has_text="going to church")).to_contain_text("aren't kept, on purpose")
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, colours=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.get_by_role("link", name="See what I remember").click()
    expect(page.locator(".memory")).to_have_count(2)

    page.get_by_role("link", name="Bring back from a file").click()
    page.get_by_label("Your file").set_input_files({"name": "m.json", "mimeType": "", "buffer": b"no copy"})
    page.get_by_role("button", name="Read it").click()
    expect(page.locator(".errors")).to_contain_text("Nothing was changed.")
    axe(page)
    # One that is too big is named before it is sent.
    page.get_by_label("Your file").set_input_files({"name": "m.json", "mimeType": "", "buffer": b" " * 3_000_000})
    expect(page.locator("[data-too-big]")).to_be_visible()
    expect(page.get_by_role("button", name="Read it")).to_be_disabled()
    axe(page)


def test_without_scripts_the_copy_is_made_too(
    house: Server, new_page: Callable[..., Any], somebody: Callable[[], str]
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{house.url}/account/login/?next=/me/export/")
    page.get_by_label("User name").fill(somebody())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Make my copy").click()
    page.get_by_role("heading", name="Your copy is ready").wait_for()  # the page reloads by itself


def test_the_teen_s_mirror_is_the_guardian_s_page(
    house: Server,
    new_page: Callable[..., Any],
    chats: Callable[..., str],
    sign_in: Callable[..., None],
    axe: Callable[..., None],
) -> None:
    mine, theirs = new_page(), new_page()
    name = chats("the plumbago rehearsal went sideways", mine)
    teen_id = house.python(LINK, name).strip()
    mine.goto(f"{house.url}/me/")
    mine.get_by_role("link", name="Parent or carer").click()
    mine.get_by_role("heading", name=f"What parent-{name} sees").wait_for()
    sign_in(theirs, f"parent-{name}", chat=False)
    theirs.goto(f"{house.url}/family/{teen_id}/")
    seen = theirs.evaluate(SECTIONS)
    assert len(seen) >= 3
    assert mine.evaluate(SECTIONS) == seen
    assert "plumbago" not in theirs.content()
    axe(mine)
    mine.emulate_media(color_scheme="dark")
    axe(mine, colours=True)
    assert mine.evaluate("document.documentElement.scrollWidth") <= 375


def test_another_device_is_signed_out_and_its_chat_closes_wherever_it_is_connected(
    house: Server, new_page: Callable[..., Any], somebody: Callable[[], str], sign_in: Callable[..., None]
) -> None:
    name = somebody()
    here = new_page()
    there = [new_page() for _ in range(3)]  # of two processes each serves some of these
    for page in (here, *there):
        sign_in(page, name)
    here.goto(f"{house.url}/me/devices/")
    here.get_by_role("button", name=re.compile("^Sign out: ")).nth(1).click()
    here.get_by_text("Signed out there.").wait_for()
    here.get_by_role("button", name="Sign out everywhere else").click()
    here.get_by_text("Signed out on 2 other devices.").wait_for()
    for page in there:
        page.wait_for_selector("[data-state=signed_out]")
    here.goto(f"{house.url}/chat/")
    here.wait_for_selector("[data-state=online]")


def test_in_two_taps_the_account_is_gone_and_everything_in_it(
    house: Server, new_page: Callable[..., Any], chats: Callable[..., str]
) -> None:
    here, there = new_page(), new_page()
    name = chats("i love plumbago hockey", here, there)
    person_id = house.python(ID, name).strip()
    here.goto(f"{house.url}/me/export/")
    here.get_by_role("button", name="Make my copy").click()
    here.get_by_role("heading", name="Your copy is ready").wait_for()
    here.goto(f"{house.url}/me/")
    here.get_by_role("link", name="Delete my account").click()
    here.get_by_label("Your password").fill(PASSWORD)
    here.get_by_role("button", name="Delete everything").click()
    here.get_by_role("heading", name="Deleted").wait_for()
    there.wait_for_selector("[data-state=signed_out]")
    assert house.python(LEFT, person_id).strip() == "[]"
    here.goto(f"{house.url}/account/login/")
    here.get_by_label("User name").fill(name)
    here.get_by_label("Password").fill(PASSWORD)
    here.get_by_role("main").get_by_role("button", name="Sign in").click()
    here.locator(".errors").wait_for()
