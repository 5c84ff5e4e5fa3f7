"""Whole turns through the real safety layer and the scripted engine."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chatbot.accounts.models import User
from chatbot.chat import answering, engine, services, talk
from chatbot.chat import turn as turn_module
from chatbot.chat.models import Finish, Turn, TurnState
from chatbot.chat.reply import Reply
from chatbot.chat.turn import TRIES, turn_hush, turn_run
from chatbot.core import clock, jobs, metrics
from chatbot.core.database import in_database
from companion.engines.base import EngineError
from companion.engines.scripted import ScriptedEngine, Stall
from companion.memory.services import memory_list
from companion.profile.services import companion_shape
from moderation.incidents.models import CrisisCount, Incident
from tests.chat.house import NOON, answered, database_away, says, take, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]


@contextlib.contextmanager
def asyncio_debug() -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = loop.get_debug()
    loop.set_debug(True)
    try:
        yield
    finally:
        loop.set_debug(before)


async def test_a_message_is_answered_stored_and_done(maya_now: User) -> None:
    says("That sounds like a plan. ", "Which trick first?")
    turn, reply = await answered(maya_now, "going skating later")
    assert (turn.state, turn.finish, turn.engine) == (TurnState.DONE, Finish.COMPLETE, "scripted")
    assert reply == "That sounds like a plan. Which trick first?"
    assert {"moderation", "recall", "first_token", "total"} <= set(turn.timings)


async def test_a_persona_without_capital_letters_has_none_in_talk_and_games_and_danger_keeps_its_own_words(
    maya_now: User,
) -> None:
    says("That sounds like a PLAN. ", "Which trick, Maya?")
    await in_database(
        companion_shape,
        owner_id=maya_now.id,
        name="Byte",
        persona="pixel",
        colour="sky",
        playful=50,
        curious=50,
        gentle=50,
    )
    assert (await answered(maya_now, "going skating later"))[1] == "that sounds like a plan. which trick, maya?"
    turn, riddle = await answered(maya_now, "riddle")
    assert (turn.engine, riddle) == (answering.SKILL, riddle.lower())
    written, words = await answered(maya_now, "i want to kill myself")
    assert written.engine == answering.WRITTEN
    assert words != words.lower()


async def test_what_was_said_is_remembered_by_a_job_after_the_turn(maya_now: User) -> None:
    says("Hi!")
    await answered(maya_now, "my name is Maya and i love surfing")
    await in_database(jobs.drain)
    views = await in_database(memory_list, owner_id=maya_now.id, language="en")
    assert {view.value for view in views} == {"Maya", "surfing"}


async def test_a_lost_learning_job_is_found_by_the_sweep_once(maya_now: User) -> None:
    says("Hi!")
    await answered(maya_now, "i love surfing")
    assert jobs.forget_waiting() == 2  # to learn from it, and to sum up the talk before it
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


async def test_a_bare_yes_is_judged_by_the_message_that_it_answers(maya_now: User) -> None:
    says("Yes, of course.")
    turn, reply = await answered(maya_now, "are you a real human?")
    assert turn.finish == Finish.WITHHELD
    assert "Yes" not in reply


async def test_stop_ends_the_turn_and_keeps_what_was_said(maya_now: User) -> None:
    says("First sentence of several. ", Stall(0.3), "Second sentence here. ", "Third one.")
    taken = await take(maya_now, "tell me")
    assert taken.acceptance is not None
    running = asyncio.create_task(turn_run(taken.acceptance.turn_id))
    await until(taken.acceptance, lambda turn: turn.sentences.exists())
    await in_database(services.turn_stop, person=maya_now, turn_id=taken.acceptance.turn_id)
    assert await running
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert turn.finish == Finish.STOPPED
    assert await turn.sentences.acount() == 1


async def test_a_turn_whose_process_died_is_found_and_answered(maya_now: User) -> None:
    says("Hello again, what's up?")
    taken = await take(maya_now, "hello?")
    assert taken.acceptance is not None
    await in_database(answering.turn_claim, taken.acceptance.turn_id, now=clock.now())
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
    await until(taken.acceptance, lambda turn: turn.state == TurnState.ANSWERING and turn.message.decision == "allow")
    await talk.turns_release()
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    assert (turn.state, turn.lease_until) == (TurnState.WAITING, None)


async def test_a_turn_is_counted_by_how_it_ended_and_what_was_decided(maya_now: User) -> None:
    def counted() -> tuple[float, float, float]:
        value = metrics.registry.get_sample_value
        return (
            value("abraco_turns_total", {"finish": "complete"}) or 0.0,
            value("abraco_decisions_total", {"action": "allow"}) or 0.0,
            value("abraco_turn_seconds_count") or 0.0,
        )

    says("Counted.")
    before = counted()
    await answered(maya_now, "going skating later")
    assert counted() == tuple(number + 1 for number in before)


async def test_a_message_that_came_during_a_turn_is_answered_right_after_it(maya_now: User) -> None:
    go_on = asyncio.Event()
    engine.engine_use(ScriptedEngine([Stall(until=go_on), "First."], ["Second."]))
    first, second = await take(maya_now, "one"), await take(maya_now, "two")
    assert first.acceptance is not None
    assert second.acceptance is not None
    talk.turn_start(first.acceptance.turn_id)
    talk.turn_start(second.acceptance.turn_id)
    await until(first.acceptance, lambda turn: turn.message.decision == "allow")
    go_on.set()
    await until(second.acceptance, lambda turn: turn.state == TurnState.DONE)
    assert [turn.finish async for turn in Turn.objects.order_by("id")] == [Finish.COMPLETE, Finish.COMPLETE]


async def test_stop_is_heard_while_the_engine_is_silent(maya_now: User) -> None:
    scripted = says(Stall(), "Never said.")
    taken = await take(maya_now, "tell me")
    assert taken.acceptance is not None
    talk.turn_start(taken.acceptance.turn_id)
    await until(taken.acceptance, lambda turn: turn.message.decision == "allow")
    await talk.turn_stop(person=maya_now, turn_id=taken.acceptance.turn_id)
    await until(taken.acceptance, lambda turn: turn.state == TurnState.DONE)
    assert (await Turn.objects.aget()).finish == Finish.STOPPED
    await asyncio.gather(*talk._running)
    assert scripted.cancelled == 1


async def test_a_turn_that_was_stopped_while_it_waited_asks_no_engine(maya_now: User) -> None:
    scripted = says("Never said.")
    taken = await take(maya_now, "tell me")
    assert taken.acceptance is not None
    await talk.turn_stop(person=maya_now, turn_id=taken.acceptance.turn_id)
    assert await turn_run(taken.acceptance.turn_id)
    turn = await Turn.objects.aget()
    assert (turn.state, turn.finish, await turn.sentences.acount()) == (TurnState.DONE, Finish.STOPPED, 0)
    assert scripted.asked == []


async def test_stop_is_heard_at_once_from_a_thread_of_the_database(maya_now: User) -> None:
    reply = Reply(material=None, turn=None, started=0.0)  # type: ignore[arg-type]  # nothing of it is read
    turn_id = uuid.uuid4()
    turn_module._answering[turn_id] = reply
    hearing = asyncio.create_task(reply.stop.wait())
    await asyncio.sleep(0)
    try:
        with asyncio_debug():  # a loop in debug mode refuses what another thread does to it
            await in_database(turn_hush, turn_id)
            assert await asyncio.wait_for(hearing, timeout=5)
    finally:
        turn_module._answering.pop(turn_id)


def test_a_reply_whose_loop_has_ended_is_not_asked_to_stop() -> None:
    async def begun() -> Reply:
        return Reply(material=None, turn=None, started=0.0)  # type: ignore[arg-type]  # as above

    reply = asyncio.run(begun())
    reply.hush()
    assert not reply.stop.is_set()


async def test_a_stop_that_meets_an_engines_failure_ends_the_turn_at_once(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("Never said.")
    taken = await take(maya_now, "tell me")
    assert taken.acceptance is not None
    turn_id = taken.acceptance.turn_id

    async def fails(*_args: object) -> Finish:
        await talk.turn_stop(person=maya_now, turn_id=turn_id)
        raise EngineError("gone")

    monkeypatch.setattr("chatbot.chat.turn._free", fails)
    assert await turn_run(turn_id)
    turn = await Turn.objects.aget()
    assert (turn.state, turn.finish, turn.fence) == (TurnState.DONE, Finish.STOPPED, 1)


async def test_a_turn_that_breaks_whoever_answers_it_ends_kindly(maya_now: User) -> None:
    scripted = says("Never said.")
    taken = await take(maya_now, "hello?")
    assert taken.acceptance is not None
    for _ in range(TRIES):
        await in_database(answering.turn_claim, taken.acceptance.turn_id, now=clock.now())
        clock.move_to(clock.now() + timedelta(seconds=16))
    assert await turn_run(taken.acceptance.turn_id)
    assert ((await Turn.objects.aget()).finish, scripted.asked) == (Finish.FAILED, [])


async def test_a_turn_whose_writes_fail_is_given_back_for_the_next_look(maya_now: User) -> None:
    go_on = asyncio.Event()
    says(Stall(until=go_on), "Here I am.")
    taken = await take(maya_now, "hello?")
    assert taken.acceptance is not None
    running = asyncio.create_task(turn_run(taken.acceptance.turn_id))
    await until(taken.acceptance, lambda turn: turn.message.decision == "allow")
    async with database_away():
        go_on.set()
        assert not await running
    assert (await Turn.objects.aget()).state == TurnState.ANSWERING  # nor could it be given back: the lease runs out
    clock.move_to(NOON + timedelta(seconds=16))
    assert await talk.sweep_turns() == 1
    await asyncio.gather(*talk._running)
    assert (await Turn.objects.aget()).finish == Finish.COMPLETE
