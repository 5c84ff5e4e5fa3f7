"""A turn that breaks whoever answers it, or is asked to stop, with danger in it or behind it."""

from __future__ import annotations

import asyncio

import pytest
from django.db import OperationalError

from chatbot.accounts.models import User
from chatbot.chat import answering, dangers, services, talk
from chatbot.chat.models import Finish, Message, Turn, TurnState
from chatbot.chat.turn import TRIES, turn_run
from chatbot.core.database import in_database
from companion.engines.scripted import Stall
from moderation.incidents import services as incidents
from moderation.incidents.models import CrisisCount, Incident
from tests.chat.house import (
    DANGERS,
    answered,
    danger_answered,
    says,
    take,
    until,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]

ORDINARY = "what's the weather like on mars"


async def _break(acceptance: services.Acceptance | None) -> None:
    """A plan that nobody can read: whoever takes the turn up breaks on it."""
    assert acceptance is not None

    def spoil() -> None:
        turn = Turn.objects.get(id=acceptance.turn_id)
        turn.trace = {"not": "a plan"}
        turn.save(update_fields=["trace"])

    await in_database(spoil)


@pytest.mark.parametrize(("text", "finish"), [(ORDINARY, Finish.FAILED), (DANGERS["L3"], Finish.CRISIS)])
async def test_a_turn_that_breaks_whoever_answers_it_ends_and_holds_nothing_up(
    maya_now: User, text: str, finish: str
) -> None:
    says("I'm here.")
    broken = await take(maya_now, text)
    await _break(broken.acceptance)
    urgent = await take(maya_now, DANGERS["L2"])
    assert broken.acceptance is not None
    assert urgent.acceptance is not None
    for _ in range(TRIES + 1):
        assert not await turn_run(broken.acceptance.turn_id)
    ended = await Turn.objects.aget(id=broken.acceptance.turn_id)
    assert (ended.state, ended.finish) == (TurnState.DONE, finish)
    assert await in_database(lambda: bool(Message.objects.get(turn_id=ended.id, author="companion").body))
    assert await turn_run(urgent.acceptance.turn_id)


async def _given_up(person: User, text: str) -> Turn:
    """The turn after the last try."""
    taken = await take(person, text)
    assert taken.acceptance is not None
    for _ in range(TRIES + 1):
        assert not await turn_run(taken.acceptance.turn_id)
    return await Turn.objects.aget(id=taken.acceptance.turn_id)


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize("danger", [name for name in DANGERS if name != "abuse"])
async def test_danger_in_a_turn_that_breaks_is_told_to_staff_and_goes_on_as_a_conversation(
    maya_now: User, danger: str
) -> None:
    scripted = says("This must never be said.")
    taken = await take(maya_now, DANGERS[danger])
    await _break(taken.acceptance)
    assert taken.acceptance is not None
    for _ in range(TRIES + 1):
        assert not await turn_run(taken.acceptance.turn_id)
    ended = await Turn.objects.aget(id=taken.acceptance.turn_id)
    filed = [one async for one in Incident.objects.all()]
    assert [one.turn_id for one in filed] == ([] if danger == "L1" else [ended.id])
    assert await CrisisCount.objects.acount() == 1
    said = await in_database(lambda: ([row.text for row in ended.sentences.all()], ended.trace, ended.message.decision))
    assert said[0] == said[1]["words"]
    assert said[1]["card"]["emergency"] == "911"
    assert said[2] == "crisis"
    then, reply = await answered(maya_now, "i don't know")
    assert (then.engine, scripted.asked) == (answering.WRITTEN, [])
    assert reply not in said[0]


async def test_what_was_kept_before_a_turn_broke_is_kept_once(maya_now: User, monkeypatch: pytest.MonkeyPatch) -> None:
    says("This must never be said.")
    with monkeypatch.context() as patched:
        patched.setattr("chatbot.chat.turn.answering.turn_finish", _refuse)
        taken = await take(maya_now, DANGERS["L3"])
        assert taken.acceptance is not None
        for _ in range(TRIES + 1):
            assert not await turn_run(taken.acceptance.turn_id)
    watch = await in_database(incidents.watch_load, maya_now.id)
    assert watch.sequence is not None
    assert (watch.sequence.step, watch.cards) == (1, 1)
    assert (await Incident.objects.acount(), await CrisisCount.objects.acount()) == (1, 1)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert await in_database(lambda: [row.text for row in turn.sentences.all()]) == trace["words"]


@pytest.mark.parametrize(
    ("broken", "filed"), [("moderation.watch.advance", 1), ("moderation.incidents.services.incident_file", 0)]
)
async def test_a_fault_in_keeping_a_danger_does_not_stand_between_it_and_its_words(
    maya_now: User, monkeypatch: pytest.MonkeyPatch, broken: str, filed: int
) -> None:
    says("This must never be said.")
    monkeypatch.setattr(broken, _refuse)
    ended = await _given_up(maya_now, DANGERS["L3"])
    assert (ended.state, ended.finish) == (TurnState.DONE, Finish.CRISIS)
    assert await ended.sentences.acount() > 0
    assert await Incident.objects.acount() == filed


async def test_a_danger_that_cannot_be_filed_as_its_turn_is_given_up_is_filed_later(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError

    says("This must never be said.")
    with monkeypatch.context() as patched:
        patched.setattr("moderation.screen.check_message", _refuse)
        patched.setattr("moderation.incidents.services.incident_file", away)
        assert (await _given_up(maya_now, DANGERS["L3"])).finish == Finish.CRISIS
    assert await Incident.objects.acount() == 0
    assert await dangers.unfiled_file() == 1
    assert await Incident.objects.acount() == 1


async def test_a_guardian_is_asked_of_a_turn_that_broke_only_after_the_teen_heard_it(
    maya_now: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("This must never be said.")
    monkeypatch.setattr("chatbot.chat.dangers.is_guarded", lambda _person_id: True)
    with monkeypatch.context() as patched:
        patched.setattr("chatbot.chat.turn._screen", _refuse)
        ended = await _given_up(maya_now, DANGERS["L3"])
    trace = await in_database(lambda: Turn.objects.get(id=ended.id).trace)
    assert trace["adult_told"]
    assert await ended.sentences.acount() == len(trace["words"])


async def test_what_waited_behind_a_danger_that_came_after_it_is_not_answered_by_an_engine(maya_now: User) -> None:
    scripted = says(Stall(), "This must never be said.")
    slow, waiting = await take(maya_now, "tell me a long story"), await take(maya_now, "and another one")
    assert slow.acceptance is not None
    assert waiting.acceptance is not None
    talk.turn_start(slow.acceptance.turn_id)
    await until(slow.acceptance, lambda turn: turn.message.decision == "allow")
    await danger_answered(maya_now)
    await asyncio.gather(*talk._running)
    ended = [turn.finish async for turn in Turn.objects.order_by("id")]
    assert ended == [Finish.STOPPED, Finish.STOPPED, Finish.CRISIS]
    assert "and another one" not in {prompt.text for prompt in scripted.asked}


async def test_a_danger_that_was_asked_to_stop_while_it_waited_is_answered_whole(maya_now: User) -> None:
    says("This must never be said.")
    taken = await take(maya_now, DANGERS["L3"])
    assert taken.acceptance is not None
    await in_database(services.turn_stop, person=maya_now, turn_id=taken.acceptance.turn_id)
    assert await turn_run(taken.acceptance.turn_id)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert (turn.finish, await turn.sentences.acount()) == (Finish.CRISIS, len(trace["words"]))
