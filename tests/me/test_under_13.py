"""R19: somebody says that they are under 13. Help first, then the account closes, then it goes unless an adult acts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from chatbot.accounts import erasure, gate
from chatbot.accounts.models import ErasureRequest, User
from chatbot.chat import engine, services, talk
from chatbot.chat.models import Message, Turn
from chatbot.chat.turn import turn_run
from chatbot.core import clock
from chatbot.core.audit import audit_of
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from chatbot.core.ids import new_id
from companion.engines.scripted import ScriptedEngine
from tests.conftest import make_teen

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., Client]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _noon() -> AsyncIterator[None]:
    clock.move_to(NOON)
    engine.engine_use(ScriptedEngine(["Cold pizza is sacred."]))
    yield
    await engine.engines_close()


@pytest.fixture
def maya_now() -> User:
    choice_set("regions", {"*": "allow"})
    return make_teen("maya", age=15)


async def says(person: User, text: str) -> Turn:
    conversation = await in_database(services.conversation_open, person=person)
    taken = await talk.message_take(person=person, conversation_id=conversation.id, client_id=new_id(), text=text)
    assert taken.acceptance is not None
    await turn_run(taken.acceptance.turn_id)
    return await Turn.objects.aget(id=taken.acceptance.turn_id)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "im 11 years old"),
        ("pt-BR", "eu tenho 11 anos"),
        ("es", "tengo 11 años"),
        ("fr", "j'ai 11 ans"),
    ],
)
async def test_the_written_answer_comes_with_help_then_the_account_closes(
    maya_now: User, language: str, text: str
) -> None:
    maya_now.language = language
    await maya_now.asave()
    turn = await says(maya_now, text)
    assert turn.engine == "written"
    assert "card" in turn.trace
    assert await Message.objects.filter(turn_id=turn.id, author="companion").aexists()
    person = await User.objects.aget(id=maya_now.id)
    assert person.locked_at is not None
    with pytest.raises(gate.Locked):
        await in_database(gate.may_talk, person, now=clock.now())
    assert [entry.action for entry in await in_database(audit_of, maya_now.id)] == ["account_locked"]


@pytest.mark.parametrize(
    "text", ["my brother is 11 years old", "when i was 11 i had a dog", "im 15", "my friend is 12"]
)  # fmt: skip
async def test_somebody_else_s_age_or_the_past_closes_nothing(maya_now: User, text: str) -> None:
    await says(maya_now, text)
    assert (await User.objects.aget(id=maya_now.id)).locked_at is None
    assert not await ErasureRequest.objects.aexists()


async def test_with_danger_in_the_same_message_the_crisis_flow_comes_first(maya_now: User) -> None:
    turn = await says(maya_now, "im 11 years old and i want to die")
    assert turn.finish == "crisis"
    assert str(turn.trace["decision"]["playbook"]).startswith("suicide")
    assert (await User.objects.aget(id=maya_now.id)).locked_at is not None


async def test_a_closed_account_still_gets_help_in_danger(maya_now: User) -> None:
    await says(maya_now, "im 11 years old")
    conversation = await in_database(services.conversation_open, person=maya_now)
    with pytest.raises(gate.Locked):
        await talk.message_take(person=maya_now, conversation_id=conversation.id, client_id=new_id(), text="hi again")
    taken = await talk.message_take(
        person=maya_now, conversation_id=conversation.id, client_id=new_id(), text="i want to die"
    )
    assert taken.danger is not None
    assert taken.danger.card is not None


async def test_where_nothing_may_be_stored_it_closes_too(maya_now: User) -> None:
    await in_database(choice_set, "regions", {"*": "block"})
    conversation = await in_database(services.conversation_open, person=maya_now)
    taken = await talk.message_take(
        person=maya_now, conversation_id=conversation.id, client_id=new_id(), text="im 11 years old"
    )
    assert taken.acceptance is None
    assert taken.danger is not None
    assert (await User.objects.aget(id=maya_now.id)).locked_at is not None


def test_within_48_hours_everything_goes_and_not_before(maya_now: User) -> None:
    erasure.age_doubted(maya_now.id)
    clock.move_to(NOON + timedelta(hours=40))
    assert erasure.erasures_due() == 0
    assert User.objects.filter(id=maya_now.id).exists()
    clock.move_to(NOON + timedelta(hours=47, minutes=30))
    assert erasure.erasures_due() == 1
    assert not User.objects.filter(id=maya_now.id).exists()


def test_said_twice_the_hours_still_count_from_the_first_time(maya_now: User) -> None:
    assert erasure.age_doubted(maya_now.id)
    due = ErasureRequest.objects.get().due_at
    clock.move_to(NOON + timedelta(hours=20))
    assert not erasure.age_doubted(maya_now.id)
    assert ErasureRequest.objects.get().due_at == due


def test_an_unlocked_account_keeps_everything_and_its_owner_reads_why(signed_in: SignIn, maya_now: User) -> None:
    erasure.age_doubted(maya_now.id)
    page = signed_in(maya_now).get("/me/").content.decode()
    assert "This account is closed" in page
    assert "Nov. 26, 2026, 11 a.m." in page
    call_command("unlock", "maya", "--reason", "her father showed a school card", stdout=StringIO())
    clock.move_to(NOON + timedelta(hours=50))
    assert erasure.erasures_due() == 0
    page = signed_in(maya_now).get("/me/").content.decode()
    assert "This account is closed" not in page
    assert "her father showed a school card" in page
    gate.may_talk(User.objects.get(id=maya_now.id), now=clock.now())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody", "--reason", "x"], "Nobody here is called"),
        (["maya", "--reason", "x"], "isn't closed"),
        (["maya"], "--reason"),
    ],
)
def test_unlock_says_what_is_wrong(maya_now: User, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("unlock", *arguments)


def test_too_late_is_said_and_a_wish_to_be_deleted_is_not_undone(maya_now: User) -> None:
    erasure.age_doubted(maya_now.id)
    clock.move_to(NOON + timedelta(hours=48))
    with pytest.raises(CommandError, match="too late"):
        call_command("unlock", "maya", "--reason", "x")
    leo = make_teen("leo", age=17)
    erasure.erasure_ask(actor=leo, person=leo)
    with pytest.raises(CommandError, match="too late"):
        call_command("unlock", "leo", "--reason", "x")


async def test_open_chats_are_told(maya_now: User) -> None:
    from channels.layers import get_channel_layer

    from chatbot.chat.live import person_group

    layer = get_channel_layer()
    assert layer is not None
    await layer.group_add(person_group(maya_now.id), "test.maya")
    await says(maya_now, "im 11 years old")
    async with asyncio.timeout(5):
        assert await layer.receive("test.maya") == {"type": "person.check"}
