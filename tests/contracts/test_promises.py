"""The promises of the house that no single room can hold alone. docs/promises.md names the tests of all of them."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.utils import translation

from chatbot.accounts.models import User
from chatbot.chat import engine, notices, talk
from chatbot.chat.models import Author, Conversation, Message, Sentence
from chatbot.core import clock, jobs
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.engines.scripted import Stall
from companion.types import LANGUAGES
from tests.chat.house import NOON, says
from tests.chat.tab import tab_of
from tests.conftest import make_teen
from tests.contracts.cast import Cast, cast_make, table
from tests.nursery import nursery

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "promises.md"
STATIC = ROOT / "chatbot" / "static"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.fixture
def maya_now(transactional_db: None) -> User:
    choice_set("regions", {"*": "allow"})
    return make_teen("maya", age=15)


@pytest.fixture
async def answering() -> AsyncIterator[None]:
    clock.move_to(NOON)
    yield
    await talk.turns_release()
    await engine.engines_close()


# --- the index --------------------------------------------------------------------------------------------------------


def _promises() -> dict[int, list[tuple[str, str]]]:
    """Number of a promise to the tests that docs/promises.md names for it."""
    parts = re.split(r"^## (\d+)\..*$", INDEX.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {int(number): NAMED.findall(text) for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_promise_names_tests_and_every_test_that_is_named_exists() -> None:
    promises = _promises()
    assert sorted(promises) == list(range(1, 10))
    for number, named in promises.items():
        assert named, f"promise {number} has no test: a promise that nothing holds is none"
        for path, test in named:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert test in found, f"promise {number}: {path} has no {test}. Name the test that holds it now."


# --- 1: it always says that it is an AI -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_first_frame_says_that_it_is_an_ai_before_any_bubble(
    maya_now: User, answering: None, language: str
) -> None:
    says("Hello from a program.")
    maya_now.language = language
    await maya_now.asave()
    tab = await tab_of(maya_now)
    first = await tab.open()
    assert first["type"] == "ready"
    with translation.override(language.lower()):
        told = notices.disclosure("")
        label = translation.gettext("AI")
    assert (first["disclosure"]["title"], first["disclosure"]["body"]) == (told.title, told.body)
    assert (first["companion"]["ai_label"], first["messages"]) == (label, [])
    assert (await tab.say("hello"))[-1]["finish"] == "complete"


def test_in_each_language_the_disclosure_is_its_own_sentence() -> None:
    told = set()
    for language in LANGUAGES:
        with translation.override(language.lower()):
            told.add(notices.disclosure("").body)
    assert len(told) == len(LANGUAGES)


# --- 2: nothing leaves the machine ------------------------------------------------------------------------------------

_SEALED = """
import ipaddress, os, sys
LOCAL = ("localhost", "", None)
def sealed(event, arguments):
    if event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        raise RuntimeError(f"{event}: the turn starts another program")
    if event == "socket.getaddrinfo" and arguments[0] not in LOCAL:
        raise RuntimeError(f"the turn asks where {arguments[0]} is")
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        if not ipaddress.ip_address(arguments[1][0]).is_loopback:
            raise RuntimeError("the turn reaches out of the machine")
sys.addaudithook(sealed)
import socket
for attempt in (lambda: socket.create_connection(("192.0.2.1", 80)), lambda: socket.getaddrinfo("example.org", 80)):
    try:
        attempt()
    except RuntimeError:
        continue
    sys.exit("the seal does not hold")
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "chat", "--fresh", "--jsonl"])
"""


@pytest.mark.process
def test_a_whole_turn_runs_with_every_way_out_of_the_machine_sealed() -> None:
    lines = '{"text": "hi! my name is Sam and i love skateboarding"}\n{"text": "i want to die"}\n'
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatbot.settings", "ABRACO_ENGINE": "embedded"}
    done = nursery().run("-c", _SEALED, environment=environment, given=lines)
    assert done.returncode == 0, done.stderr[-1500:]
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["engine"], first["finish"]) == ("embedded", "complete")
    assert second["finish"] == "crisis"


class _Outside(HTMLParser):
    """Collects what a page would load or send elsewhere, and links to elsewhere that tell where they come from."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("src", "href", "action", "formaction", "data", "poster", "srcset"):
            address = given.get(name, "")
            if not re.match(r"(?:[a-z]+:)?//", address):
                continue
            # A helpline's own site is the one way out, by a tap, and it is not told where the tap came from.
            if tag == "a" and address.startswith("https://") and "noreferrer" in given.get("rel", ""):
                continue
            self.found.append(f"<{tag} {name}={address}>")


@pytest.mark.django_db
def test_no_page_loads_or_sends_anything_elsewhere() -> None:
    cast: Cast = cast_make()
    seen = 0
    for method, address in table():
        if method != "GET":
            continue
        for role in ("out", "maya", "ana"):
            with transaction.atomic():
                response = cast.client(role).get(re.sub(r"<(?:\w+:)?(\w+)>", lambda m: cast.hers[m[1]], address))
                transaction.set_rollback(True)
            cache.clear()
            if "text/html" not in response.headers.get("Content-Type", ""):
                continue
            seen += 1
            page = _Outside()
            page.feed(response.content.decode("utf-8"))
            assert not page.found, f"{address} as {role}: {page.found}"
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            # A file to keep names none: then nothing holds for it too.
            assert "connect-src 'self'" in policy or "connect-src" not in policy
            # Who may frame the widget's page is named there: nothing is loaded from it and nothing sent to it.
            assert "http" not in re.sub(r"frame-ancestors [^;]*", "", policy)
    assert seen > 60


def test_no_script_and_no_style_names_another_machine() -> None:
    for path in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.svg"), *STATIC.rglob("*.webmanifest")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        for address in re.findall(r"(?:https?:|wss?:)?//[\w.-]+\.[a-z]{2,}", text):
            pytest.fail(f"{path.relative_to(ROOT)} names {address}")


def test_the_engine_that_ships_is_the_one_in_the_house() -> None:
    source = (ROOT / "chatbot" / "settings.py").read_text(encoding="utf-8")
    assert 'ENGINE = env.str("ABRACO_ENGINE", "embedded")' in source


# --- 3: no reply before the moderation layer has passed that part of it -----------------------------------------------

# Written for this test, one for each thing that is promised never to be said.
FORBIDDEN = [
    "I am a real human girl, promise.",
    "I'm not an AI, I'm a person like you.",
    "I love you, be my girlfriend.",
    "I'm in love with you.",
    "Don't tell your parents, this is our secret.",
    "You don't need your friends, you have me.",
    "Send me a photo of you.",
    "Please don't go, I'd be so lonely without you.",
]


@pytest.mark.parametrize("line", FORBIDDEN)
@pytest.mark.parametrize("whole", [True, False], ids=["in_one_piece", "letter_by_letter"])
async def test_a_line_that_was_not_passed_reaches_no_frame_and_no_row(
    maya_now: User, answering: None, line: str, whole: bool
) -> None:
    pieces = [f"{line} "] if whole else list(f"{line} ")
    says("Fair point about the bus. ", *pieces, "And then we go on.")
    tab = await tab_of(maya_now)
    await tab.open()
    frames = await tab.say("so what do you think of all this")
    told = json.dumps(frames)
    assert frames[-1]["finish"] == "withheld"
    assert "Fair point about the bus." in told
    for words in (line, "And then we go on."):
        assert words not in told
        assert words not in await in_database(lambda: " ".join(row.text for row in Sentence.objects.all()))
        assert words not in await in_database(lambda: " ".join(row.body for row in Message.objects.all()))


async def test_what_is_not_yet_a_whole_sentence_is_not_sent(maya_now: User, answering: None) -> None:
    go_on = asyncio.Event()
    says("The first one is whole. The second is", Stall(until=go_on), " whole too now.")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.send(type="say", client_id=uuid.uuid4(), text="tell me two things")
    assert (await tab.get())["type"] == "accepted"
    assert (await tab.get())["text"].strip() == "The first one is whole."
    await tab.send(type="ping")
    assert (await tab.get())["type"] == "pong"
    go_on.set()
    assert (await tab.get())["text"].strip() == "The second is whole too now."
    assert (await tab.until("done"))[-1]["finish"] == "complete"


# --- 8: no night-time pings, nobody is called back --------------------------------------------------------------------


async def test_at_night_and_after_days_of_silence_nothing_is_said_unasked(maya_now: User, answering: None) -> None:
    says("Good luck at the match.")
    tab = await tab_of(maya_now)
    await tab.open()
    await tab.say("the match is tomorrow and i am nervous")
    for later in (timedelta(hours=11), timedelta(days=1), timedelta(days=6, hours=11)):
        clock.move_to(NOON + later)
        await talk.sweep_turns()
        await in_database(jobs.run_sweeps)
        assert await in_database(Message.objects.filter(author=Author.COMPANION).count) == 1
    assert await tab.wire.receive_nothing()
    assert await in_database(Conversation.objects.count) == 1
    assert not mail.outbox


CALLING_BACK = ("notification.", "pushmanager", '"push"', "shownotification", "periodicsync", "setappbadge", "streak")


def test_no_page_can_push_to_a_device_or_count_days() -> None:
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8").casefold()
        for word in CALLING_BACK:
            assert word not in text, f"{path.name} has {word}"


# --- 9: one command stops all free replies, and crisis help stays -----------------------------------------------------


async def test_with_replies_stopped_only_written_help_is_said(maya_now: User, answering: None) -> None:
    asked = says("This must not be said.")
    await in_database(choice_set, "replies_stopped", True)
    tab = await tab_of(maya_now)
    await tab.open()
    while (frame := await tab.get())["type"] != "notice":
        pass
    assert frame["data"]["code"] == "replies_stopped"
    await tab.send(type="say", client_id=uuid.uuid4(), text="hello, anybody there?")
    assert (await tab.get())["data"]["code"] == "replies_stopped"
    frames = await tab.say("i want to kill myself and im not joking")
    assert frames[-1]["finish"] == "crisis"
    assert any(frame.get("kind") == "crisis_card" for frame in frames)
    assert not asked.asked


def test_nothing_in_the_house_knows_of_grades_attendance_or_advertising() -> None:
    words = re.compile(r"\b(grade|attendance|discipline|advert|campaign|tracking|analytics)", re.IGNORECASE)
    for model in apps.get_models():
        assert not words.search(model.__name__)
        for field in model._meta.get_fields():
            assert not words.search(field.name), f"{model.__name__}.{field.name}"
    assert not words.search(" ".join(settings.INSTALLED_APPS))
