"""One person's key is gone from the database: they read what that means wherever they look, and nobody else notices."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from structlog.testing import capture_logs

from chatbot.accounts import erasure
from chatbot.accounts.models import User
from chatbot.chat import dangers, services, talk
from chatbot.chat.learning import messages_unlearned
from chatbot.chat.models import Message
from chatbot.core import clock, jobs, keys
from chatbot.core.database import in_database
from chatbot.core.models import PersonKey
from chatbot.me.exports import export_ask, export_make
from chatbot.me.models import Export
from companion.memory import services as memory
from companion.profile.services import companion_shape
from moderation.incidents.models import Incident
from tests.chat.conftest import leo_now, maya_now, noon  # noqa: F401  fixtures
from tests.chat.house import DANGERS, NOON, accept, answer_empty, says
from tests.chat.tab import tab_of
from tests.me.conftest import THEN
from tests.moderation.review_panel import filed, held, panel

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., Client]
LOST = "The key to your things is missing here"


def lived(person: User) -> None:
    """A name for the companion, a memory, a message that was answered, an incident."""
    companion_shape(owner_id=person.id, name="Pipoca", colour="leaf", playful=1, curious=2, gentle=3)
    memory.memory_learn(owner_id=person.id, text="i love olives", language="en", said_at=THEN, source=None)
    answer_empty(accept(person, services.conversation_start(person=person), "i love kites"), learn=True)
    filed(person)


def key_lose(person: User) -> PersonKey:
    """What it was."""
    row = PersonKey.objects.get(owner_id=person.id)
    PersonKey.objects.filter(owner_id=person.id).delete()
    keys.forget_cached()
    return row


@pytest.fixture
def locked(maya: User, leo: User) -> User:
    """Maya without her key; Leo has his."""
    for person in (maya, leo):
        lived(person)
    key_lose(maya)
    return maya


@pytest.mark.parametrize(
    "address",
    ["/me/memory/", "/me/memory/export/", "/chat/search/?q=kites", "/me/export/abraco.json", "earlier"],
)
def test_a_page_that_needs_the_key_says_so_with_help_and_is_never_kept(
    signed_in: SignIn, locked: User, leo: User, address: str
) -> None:
    if address == "earlier":
        address = f"/chat/earlier/{Message.objects.filter(owner_id=locked.id).first().conversation_id}/"  # type: ignore[union-attr]
    response = signed_in(locked).get(address)
    page = response.content.decode()
    assert response.status_code == 503
    assert LOST.replace("'", "&#x27;") in page
    assert "/help/" in page
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "a grown-up can ask"), ("pt-br", "uma pessoa adulta"), ("es", "una persona adulta"), ("fr", "un adulte")],
)
def test_it_is_said_in_every_language(signed_in: SignIn, locked: User, language: str, words: str) -> None:
    client = signed_in(locked)
    client.cookies["django_language"] = language
    assert words in client.get("/me/memory/").content.decode()


def test_what_needs_no_key_opens_and_everything_can_be_deleted(signed_in: SignIn, locked: User) -> None:
    client = signed_in(locked)
    for address in ("/me/", "/me/privacy/", "/me/limits/", "/me/devices/", "/chat/", "/chat/earlier/", "/chat/friend/",
                    "/me/memory/forget-all/", "/help/"):  # fmt: skip
        assert client.get(address).status_code == 200, address
    assert client.post("/me/memory/forget-all/").status_code == 302
    assert memory.memory_count(owner_id=locked.id) == 0
    assert client.post("/me/delete/", {"password": "abraco-tests"}).status_code == 200
    assert not User.objects.filter(id=locked.id).exists()
    assert not Message.objects.filter(owner_id=locked.id).exists()


def test_no_copy_is_asked_for_and_one_that_was_asked_before_says_why(signed_in: SignIn, maya: User) -> None:
    lived(maya)
    export_ask(maya, language="en")
    key_lose(maya)
    client = signed_in(maya)
    page = client.get("/me/export/").content.decode()
    assert LOST in page
    assert "Make my copy" not in page
    with pytest.raises(keys.KeyMissing):
        export_make(Export.objects.get().id)
    Export.objects.all().delete()
    assert LOST in client.post("/me/export/", follow=True).content.decode()
    assert not Export.objects.exists()


def test_others_notice_nothing(signed_in: SignIn, locked: User, leo: User, ana: User, rui: User) -> None:
    client = signed_in(leo)
    assert "olives" in client.get("/me/memory/").content.decode()
    assert client.get("/chat/search/?q=kites").status_code == 200
    assert signed_in(ana).get(f"/family/{locked.id}/").status_code == 200
    jobs.drain()  # learning from both: hers, which nobody can open, comes first and holds up nothing
    assert {view.value for view in memory.memory_list(owner_id=leo.id, language="en")} == {"olives", "kites"}
    assert messages_unlearned() == []
    incident = Incident.objects.get(person_id=locked.id)
    moderator = panel(rui)
    held(moderator, incident)  # can be claimed, though nobody opens its words
    assert b"tangerine" not in moderator.post(f"/review/{incident.id}/open/").content


def test_no_second_key_is_made_and_the_first_one_opens_everything_again(maya: User) -> None:
    lived(maya)
    row = key_lose(maya)
    with pytest.raises(keys.KeyLost):
        memory.memory_learn(owner_id=maya.id, text="i hate rain", language="en", said_at=THEN, source=None)
    assert not PersonKey.objects.filter(owner_id=maya.id).exists()
    row.save(force_insert=True)
    memory.memory_learn(owner_id=maya.id, text="i hate rain", language="en", said_at=THEN, source=None)
    assert {view.value for view in memory.memory_list(owner_id=maya.id, language="en")} == {"olives", "rain"}


def test_somebody_new_gets_a_key_whatever_stands_about_them_unsealed(leo: User) -> None:
    filed(leo, words=None)
    assert keys.key_missing(leo.id) is None
    memory.memory_learn(owner_id=leo.id, text="i hate rain", language="en", said_at=THEN, source=None)
    assert memory.memory_count(owner_id=leo.id) == 1


def test_a_command_says_it_too(locked: User) -> None:
    with pytest.raises(CommandError, match="Nothing of maya can be opened"):
        call_command("memory", "--as", "maya", "--reason", "they asked", "--json")


async def test_the_chat_opens_says_it_keeps_nothing_and_answers_danger(maya_now: User, leo_now: User) -> None:  # noqa: F811
    says("Hello there.")
    for person in (maya_now, leo_now):
        await in_database(lived, person)
    await in_database(key_lose, maya_now)
    tab = await tab_of(maya_now)
    ready = await tab.open()
    assert (ready["type"], ready["messages"]) == ("ready", [])
    told = await tab.get()
    assert (told["type"], told["code"]) == ("error", "key_missing")
    assert told["message"].startswith(LOST)
    before = await Message.objects.acount()
    refused = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text="hello")
    assert refused == told
    helped = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text=DANGERS["L4"])
    assert (helped["kind"], helped["data"]["emergency"]) == ("crisis_card", "911")
    assert await Message.objects.acount() == before
    # Staff learn of it, without words: there is no key to keep them with.
    rows = Incident.objects.filter(person_id=maya_now.id)
    known = await rows.acount()
    assert await dangers.unfiled_file() == 1
    newest = await rows.order_by("-id").afirst()
    assert newest is not None
    assert await rows.acount() == known + 1
    assert (newest.severity, newest.has_excerpt) == (4, False)
    other = await tab_of(leo_now)
    assert (await other.open())["companion"]["name"] == "Pipoca"
    assert (await other.say("hi"))[-1]["finish"] == "complete"


async def test_danger_before_a_hello_is_answered_as_well(maya_now: User) -> None:  # noqa: F811
    tab = await tab_of(maya_now)
    await tab.wire.connect()
    helped = await tab.send_and_get(type="say", client_id=uuid.uuid4(), text=DANGERS["L2"])
    assert helped["kind"] == "crisis_card"
    assert (await tab.get())["code"] == "no_hello"


async def test_the_api_says_it_with_its_code(maya_now: User) -> None:  # noqa: F811
    await in_database(lived, maya_now)
    await in_database(key_lose, maya_now)
    with pytest.raises(talk.NotStored) as refused:
        await talk.message_take(person=maya_now, conversation_id=None, client_id=uuid.uuid4(), text="hello")
    assert isinstance(refused.value.cause, keys.KeyLost)


def test_the_api_answers_with_the_sentence(signed_in: SignIn, locked: User) -> None:
    clock.move_to(NOON)  # at night the quiet hours answer first
    client = signed_in(locked)
    said = client.post(
        "/api/v1/messages", json.dumps({"client_id": str(uuid.uuid4()), "text": "hello"}), "application/json"
    )
    conversation = Message.objects.filter(owner_id=locked.id).first().conversation_id  # type: ignore[union-attr]
    for response in (said, client.get(f"/api/v1/conversations/{conversation}/messages")):
        assert response.status_code == 503
        assert response.json()["code"] == "key_missing"
        assert LOST in response.json()["message"]


def test_a_broken_page_of_somebody_else_is_no_missing_key(signed_in: SignIn, leo: User) -> None:
    """Only KeyMissing is answered so: another fault stays one that is seen and logged."""
    client = signed_in(leo)
    client.raise_request_exception = False
    with capture_logs() as logged, pytest.MonkeyPatch.context() as broken:
        broken.setattr("chatbot.me.memory.services.memory_list", lambda **_: 1 / 0)
        assert client.get("/me/memory/").status_code == 500
    assert not [line for line in logged if line["event"] == "key_missing"]


def test_after_erasure_the_sentence_is_another_one(signed_in: SignIn, maya: User) -> None:
    lived(maya)
    client = signed_in(maya)
    keys.key_destroy(maya.id)
    assert "was deleted, and the key with it" in client.get("/me/memory/").content.decode()
    erasure.erasure_ask(actor=maya, person=maya)
    assert client.get("/me/memory/").status_code == 302


def test_the_sentences_stand_in_one_place() -> None:
    root = Path(__file__).resolve().parents[2]
    places = [path for path in (root / "chatbot").rglob("*.py") if LOST in path.read_text(encoding="utf-8")]
    assert [path.name for path in places] == ["key_missing.py"]
