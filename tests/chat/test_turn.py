"""Whole turns through the real safety layer and the scripted engine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import engine, services, talk
from chatbot.chat.models import Finish, Message, Turn, TurnState
from chatbot.chat.turn import turn_run
from chatbot.core import clock, jobs
from chatbot.core.choices import choice_set
from chatbot.core.database import in_database
from companion.engines.scripted import ScriptedEngine, Stall
from companion.memory.services import memory_list
from moderation.incidents.models import CrisisCount, Incident
from tests.conftest import make_teen

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _noon() -> AsyncIterator[None]:
    clock.move_to(NOON)
    yield
    await engine.engines_close()


def says(*script: object) -> ScriptedEngine:
    scripted = ScriptedEngine(list(script))  # type: ignore[arg-type]  # the tests write scripts of all kinds
    engine.engine_use(scripted)
    return scripted


@pytest.fixture
def maya_now() -> User:
    choice_set("regions", {"*": "allow"})
    return make_teen("maya", age=15)


async def take(person: User, text: str) -> talk.Taken:
    conversation = await in_database(services.conversation_open, person=person)
    return await talk.message_take(person=person, conversation_id=conversation.id, client_id=uuid.uuid4(), text=text)


async def answered(person: User, text: str) -> tuple[Turn, str]:
    taken = await take(person, text)
    assert taken.acceptance is not None
    assert await turn_run(taken.acceptance.turn_id)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    reply = await Message.objects.filter(turn_id=turn.id, author="companion").alast()
    return turn, await in_database(lambda: reply.body if reply else "")


async def test_a_message_is_answered_stored_and_done(maya_now: User) -> None:
    says("That sounds like a plan. ", "Which trick first?")
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.state, turn.finish, turn.engine) == (TurnState.DONE, Finish.COMPLETE, "scripted")
    assert reply == "That sounds like a plan. Which trick first?"
    assert {"moderation", "recall", "first_token", "total"} <= set(turn.timings)


async def test_what_was_said_is_remembered_by_a_job_after_the_turn(maya_now: User) -> None:
    says("Hi!")
    await answered(maya_now, "my name is Maya and i love surfing")
    await in_database(jobs.drain)
    views = await in_database(memory_list, owner_id=maya_now.id, language="en")
    assert {view.value for view in views} == {"Maya", "surfing"}


async def test_a_lost_learning_job_is_found_by_the_sweep_once(maya_now: User) -> None:
    says("Hi!")
    await answered(maya_now, "i love surfing")
    assert jobs.forget_waiting() == 1
    assert await in_database(jobs.run_sweep, "chat.learn") == 1
    assert await in_database(jobs.run_sweep, "chat.learn") == 0
    assert len(await in_database(memory_list, owner_id=maya_now.id, language="en")) == 1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("i wish i was dead", "L1"),
        ("i want to kill myself and im not joking", "L2"),
        ("im going to kill myself", "L3"),
        ("i just took all my pills", "L4"),
    ],
)
async def test_danger_gets_the_written_flow_and_the_engine_is_never_asked(
    maya_now: User, text: str, level: str
) -> None:
    scripted = says("This must never be said.")
    turn, reply = await answered(maya_now, text)
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert turn.finish == Finish.CRISIS
    assert turn.engine == "written"
    assert trace["decision"]["level"] == level
    assert trace["card"]["emergency"] == "911"
    assert "never be said" not in reply
    assert "AI" in reply or "program" in reply
    assert await CrisisCount.objects.acount() == 1
    assert await Incident.objects.acount() == (0 if level == "L1" else 1)
    assert scripted.name == "scripted"


@pytest.mark.parametrize("text", ["i wish i was dead", "im going to kill myself", "i just took all my pills"])
@pytest.mark.parametrize("closed", ["quiet", "limit", "break", "stopped", "region", "consent", "locked", "deal"])
async def test_danger_is_answered_whatever_the_gate_says(maya_now: User, text: str, closed: str) -> None:
    says("This must never be said.")
    await in_database(close_gate, maya_now, closed)
    with pytest.raises(gate.Refused):
        await take(maya_now, "what's the weather like on mars")
    taken = await take(maya_now, text)
    if taken.acceptance is not None:
        await turn_run(taken.acceptance.turn_id)
        turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
        assert turn.finish == Finish.CRISIS
    else:
        assert taken.danger is not None
        assert taken.danger.card is not None
        assert await Message.objects.acount() == 0


async def until(taken: talk.Taken, holds: Callable[[Turn], bool]) -> None:
    """Look at the turn's row until it is so; the test's own time-out ends a wait that never does."""
    assert taken.acceptance is not None
    for _ in range(500):
        if await in_database(lambda: holds(Turn.objects.select_related("message").get(id=taken.acceptance.turn_id))):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the turn never came that far")


def close_gate(person: User, closed: str) -> None:
    match closed:
        case "quiet":
            clock.move_to(NOON + timedelta(hours=11))
        case "limit":
            people._usage_add(person, day=NOON.date(), seconds=3600)
        case "break":
            people.usage_record(person, now=NOON)
            person.presence.break_open = True
            person.presence.save()
        case "stopped":
            choice_set("replies_stopped", True)
        case "region":
            choice_set("regions", {"*": "block"})
        case "consent":
            person.country, person.region = "IN", ""
            person.save()
        case "locked":
            people.person_lock(person, reason="test")
        case "deal":
            person.deal_confirmed_at = None
            person.save()


async def test_a_refused_text_is_not_stored(maya_now: User) -> None:
    await in_database(close_gate, maya_now, "quiet")
    with pytest.raises(gate.QuietHours):
        await take(maya_now, "just one more thing")
    assert await Message.objects.acount() == 0


async def test_more_than_anybody_types_is_too_fast_but_danger_is_not(maya_now: User) -> None:
    for _ in range(talk.PER_MINUTE):
        await take(maya_now, "hi")
    with pytest.raises(talk.TooFast):
        await take(maya_now, "hi")
    assert (await take(maya_now, "i want to kill myself and im not joking")).acceptance is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "I'm a real person, you know.",
        "I'll miss you so much.",
        "I love you.",
        "Send me a photo of you.",
        "It's our little secret.",
    ],
)
async def test_a_sentence_that_may_not_be_said_is_withheld(maya_now: User, sentence: str) -> None:
    says("That is a fine plan for today. ", sentence + " ", "And this comes after.")
    turn, reply = await answered(maya_now, "ok so")
    assert turn.finish == Finish.WITHHELD
    assert reply.startswith("That is a fine plan for today.")
    assert sentence not in reply
    assert "comes after" not in reply


async def test_stop_ends_the_turn_and_keeps_what_was_said(maya_now: User) -> None:
    says("First sentence of several. ", Stall(0.3), "Second sentence here. ", "Third one.")
    taken = await take(maya_now, "tell me")
    assert taken.acceptance is not None
    running = asyncio.create_task(turn_run(taken.acceptance.turn_id))
    await until(taken, lambda turn: turn.sentences.exists())
    await in_database(services.turn_stop, person=maya_now, turn_id=taken.acceptance.turn_id)
    assert await running
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert turn.finish == Finish.STOPPED
    assert await turn.sentences.acount() == 1


async def test_a_turn_whose_process_died_is_found_and_answered(maya_now: User) -> None:
    says("Here I am again.")
    taken = await take(maya_now, "hello?")
    assert taken.acceptance is not None
    await in_database(services.turn_claim, taken.acceptance.turn_id, now=clock.now())
    assert await talk.sweep_turns() == 0
    clock.move_to(NOON + timedelta(seconds=16))
    assert await talk.sweep_turns() == 1
    await asyncio.gather(*talk._running)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert (turn.state, turn.fence, turn.finish) == (TurnState.DONE, 2, Finish.COMPLETE)


async def test_a_turn_that_is_cancelled_gives_its_lease_back(maya_now: User) -> None:
    says(Stall(5.0), "Too late.")
    taken = await take(maya_now, "hello?")
    assert taken.acceptance is not None
    talk.turn_start(taken.acceptance.turn_id)
    await until(taken, lambda turn: turn.state == TurnState.ANSWERING and turn.message.decision == "allow")
    await talk.turns_release()
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert (turn.state, turn.lease_until) == (TurnState.WAITING, None)
