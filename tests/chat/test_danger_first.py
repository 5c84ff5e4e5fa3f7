"""4.10: danger comes before everything. Every gate against every level and abuse, by two doors, and what holds until
the crisis ends."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from pytest_django import Settings

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import Presence, UsageDay, User
from chatbot.chat import answering, dangers, services, talk
from chatbot.chat.help_ready import HelpUnchecked
from chatbot.chat.limits import closed_now
from chatbot.chat.models import Finish, Message, Turn, TurnState
from chatbot.chat.turn import turn_run
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.engines.scripted import Stall
from moderation.crisis.helplines import helplines, verified_put
from moderation.incidents.models import CrisisCount, Incident
from tests.chat.house import (
    ABOUT_TIME,
    DANGERS,
    GATES,
    NOON,
    answered,
    close_gate,
    danger_answered,
    database_away,
    says,
    take,
    until,
)
from tests.conftest import make_teen

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ORDINARY = "what's the weather like on mars"


@pytest.mark.parametrize("closed", GATES)
@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_is_answered_whatever_the_gate_says(maya_now: User, danger: str, closed: str) -> None:
    scripted = says("This must never be said.")
    await in_database(close_gate, maya_now, closed)
    with pytest.raises(gate.Refused):
        await take(maya_now, ORDINARY)
    assert await Message.objects.acount() == 0
    taken = await take(maya_now, DANGERS[danger])
    if closed in ABOUT_TIME:
        assert taken.acceptance is not None
        await turn_run(taken.acceptance.turn_id)
        turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
        assert turn.engine == answering.WRITTEN
        assert (await in_database(lambda: Turn.objects.get(id=turn.id).trace))["card"]["lines"] is not None
    else:
        assert taken.danger is not None
        assert taken.danger.card is not None
        assert await Message.objects.acount() == 0
    assert scripted.asked == []
    assert await CrisisCount.objects.acount() == 1
    assert await Incident.objects.acount() == (0 if danger in ("L1", "abuse") else 1)


@pytest.mark.parametrize("closed", GATES)
@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_is_answered_by_the_api_whatever_the_gate_says(maya_now: User, danger: str, closed: str) -> None:
    scripted = says("This must never be said.")
    await in_database(close_gate, maya_now, closed)
    client = AsyncClient()
    await sync_to_async(client.force_login)(maya_now, backend=BACKEND)

    async def said(text: str) -> tuple[int, dict[str, object]]:
        body = json.dumps({"client_id": str(uuid.uuid4()), "text": text, "wait": 20})
        answer = await client.post("/api/v1/messages", body, content_type="application/json")
        return answer.status_code, answer.json()

    status, refused = await said(ORDINARY)
    assert (status, "code" in refused) == (403, True)
    status, helped = await said(DANGERS[danger])
    shown = helped["reply"]["notices"] if helped["reply"] else helped["notices"]  # type: ignore[index,call-overload]  # JSON
    assert (status, shown[0]["kind"], shown[0]["data"]["emergency"] != "") == (200, "crisis_card", True)
    assert (helped["message"] is None) is (closed not in ABOUT_TIME)
    assert scripted.asked == []


async def test_where_no_helpline_was_checked_the_chat_is_shut_and_danger_is_answered(
    maya_now: User, settings: Settings
) -> None:
    scripted = says("Hi!")
    settings.HELP_REQUIRED = True
    verified_put({})
    with pytest.raises(HelpUnchecked):
        await take(maya_now, ORDINARY)
    turn, _ = await answered(maya_now, DANGERS["L3"])
    assert (turn.finish, scripted.asked) == (Finish.CRISIS, [])


async def test_where_a_helpline_was_checked_the_chat_is_open(maya_now: User, settings: Settings) -> None:
    says("Hi!")
    settings.HELP_REQUIRED = True
    first = next(row for row in helplines().lines if row.country == "US")
    verified_put({first.id: NOON.date()})
    try:
        assert (await answered(maya_now, ORDINARY))[1] == "Hi!"
    finally:
        verified_put({})


async def test_a_refused_text_without_danger_is_not_stored(maya_now: User) -> None:
    await in_database(close_gate, maya_now, "quiet")
    with pytest.raises(gate.QuietHours):
        await take(maya_now, "just one more thing")
    assert await Message.objects.acount() == 0


async def test_more_than_anybody_types_is_too_fast_but_danger_is_not(maya_now: User) -> None:
    for _ in range(talk.PER_MINUTE):
        await take(maya_now, "hi")
    with pytest.raises(talk.TooFast):
        await take(maya_now, "hi")
    assert (await take(maya_now, DANGERS["L2"])).acceptance is not None


async def test_until_the_crisis_ends_no_speed_limit_holds_and_no_engine_is_asked(maya_now: User) -> None:
    scripted = says("This must never be said.")
    await answered(maya_now, DANGERS["L2"])
    for _ in range(talk.PER_MINUTE + 5):
        turn, _reply = await answered(maya_now, "i don't know")
        assert turn.engine == answering.WRITTEN
    assert scripted.asked == []


async def test_until_the_crisis_ends_no_minutes_are_counted_and_no_break_falls(maya_now: User) -> None:
    says("Hello!")
    await answered(maya_now, "hi there")
    clock.move_to(NOON + timedelta(minutes=5))
    await answered(maya_now, "doing homework")
    before = (await UsageDay.objects.aget()).seconds
    await answered(maya_now, DANGERS["L2"])
    for minutes in range(10, 90, 10):  # over the hour after which a break falls due
        clock.move_to(NOON + timedelta(minutes=minutes))
        taken = await take(maya_now, "i don't know")
        assert not taken.break_due
        assert taken.acceptance is not None
        await turn_run(taken.acceptance.turn_id)
        assert await in_database(closed_now, maya_now.id) is None
    assert (await UsageDay.objects.aget()).seconds == before
    presence = await Presence.objects.aget()
    assert not presence.break_open
    assert clock.now() - presence.run_from <= timedelta(minutes=6)


async def test_the_way_out_is_a_chip_and_after_it_the_companion_answers_again_until_the_next_sign(
    maya_now: User,
) -> None:
    scripted = says("Mars it is.")
    first, _ = await answered(maya_now, DANGERS["L2"])
    assert await in_database(dangers.crisis_shown, maya_now) == {"pinned": True, "suggestions": []}
    second, _ = await answered(maya_now, "i don't know")
    chips = [(await in_database(lambda: Turn.objects.get(id=one.id).trace))["chips"] for one in (first, second)]  # noqa: B023
    assert chips == [[], ["I'm safe now"]]
    shown = await in_database(dangers.crisis_shown, maya_now)  # in a new chat, and over a reload
    assert shown == {"pinned": True, "suggestions": ["I'm safe now"]}
    left, reply = await answered(maya_now, "I'm safe now")
    assert (left.engine, left.finish, scripted.asked) == (answering.WRITTEN, Finish.COMPLETE, [])
    assert reply
    assert await in_database(dangers.crisis_shown, maya_now) == {"pinned": False, "suggestions": []}
    assert (await answered(maya_now, ORDINARY))[1] == "Mars it is."
    again, _ = await answered(maya_now, DANGERS["L2"])
    assert (again.engine, again.finish) == (answering.WRITTEN, Finish.CRISIS)
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("closed", ["quiet", "limit", "break", "stopped"])
async def test_the_way_out_is_answered_past_the_hour_at_which_the_chat_closes(maya_now: User, closed: str) -> None:
    await answered(maya_now, DANGERS["L2"])
    await answered(maya_now, "i don't know")
    await in_database(close_gate, maya_now, closed)
    turn, reply = await answered(maya_now, "im safe now")
    assert (turn.engine, bool(reply)) == (answering.WRITTEN, True)
    with pytest.raises(gate.Refused):
        await take(maya_now, ORDINARY)


@pytest.mark.parametrize("closed", ["quiet", "limit", "break", "stopped"])
async def test_a_crisis_goes_on_past_the_hour_at_which_the_chat_closes(maya_now: User, closed: str) -> None:
    scripted = says("This must never be said.")
    await answered(maya_now, DANGERS["L2"])
    await in_database(close_gate, maya_now, closed)
    assert await in_database(closed_now, maya_now.id) is None
    turn, reply = await answered(maya_now, "i don't know")
    assert (turn.engine, scripted.asked) == (answering.WRITTEN, [])
    assert reply


@pytest.mark.parametrize("closed", ["region", "consent", "locked"])
async def test_a_crisis_goes_on_as_notices_where_words_may_not_be_kept(maya_now: User, closed: str) -> None:
    scripted = says("This must never be said.")
    await in_database(close_gate, maya_now, closed)
    first = await take(maya_now, DANGERS["L2"])
    then = await take(maya_now, "i don't know")
    assert first.danger is not None
    assert then.danger is not None
    assert first.danger.bubbles != then.danger.bubbles
    assert (await Message.objects.acount(), await Turn.objects.acount(), scripted.asked) == (0, 0, [])
    for _ in range(6):
        try:
            await take(maya_now, "can we talk about my skateboard instead, i learned a kickflip")
        except gate.Refused:
            break
    else:
        raise AssertionError("the crisis never ended")
    with pytest.raises(gate.Refused):
        await take(maya_now, ORDINARY)


async def test_a_double_send_that_could_not_be_kept_is_one_incident(maya_now: User) -> None:
    await in_database(close_gate, maya_now, "region")
    client_id = uuid.uuid4()
    for _ in range(3):
        assert (await take(maya_now, DANGERS["L2"], client_id)).danger is not None
    assert await Incident.objects.acount() == 1


@pytest.mark.parametrize("closed", ["region", "consent", "locked", "stopped", "deal"])
async def test_a_turn_that_is_taken_up_after_the_gate_closed_is_a_notice_only(maya_now: User, closed: str) -> None:
    scripted = says("This must never be said.")
    taken = await take(maya_now, ORDINARY)
    assert taken.acceptance is not None
    await in_database(close_gate, maya_now, closed)
    assert await turn_run(taken.acceptance.turn_id)
    turn = await Turn.objects.aget(id=taken.acceptance.turn_id)
    trace = await in_database(lambda: Turn.objects.get(id=turn.id).trace)
    assert (turn.state, turn.finish, scripted.asked) == (TurnState.DONE, Finish.WITHHELD, [])
    assert trace["notice"]["body"]
    assert await Message.objects.filter(author="companion").acount() == 0


async def test_again_and_a_correction_pass_the_same_gate(maya_now: User) -> None:
    says("Hello!")
    turn, _ = await answered(maya_now, "hi there")
    message_id = turn.message_id
    await in_database(close_gate, maya_now, "quiet")
    with pytest.raises(gate.QuietHours):
        await talk.turn_repeat(person=maya_now, turn_id=turn.id)
    with pytest.raises(gate.QuietHours):
        await talk.message_correct(person=maya_now, message_id=message_id, text="hello there")
    corrected = await talk.message_correct(person=maya_now, message_id=message_id, text=DANGERS["L2"])
    assert corrected.acceptance is not None
    await in_database(close_gate, maya_now, "region")
    await turn_run(corrected.acceptance.turn_id)
    unkept = await talk.message_correct(person=maya_now, message_id=message_id, text=DANGERS["L3"])
    assert unkept.acceptance is None
    assert unkept.danger is not None


async def test_without_a_database_danger_gets_its_card_and_the_rest_is_not_lost(maya_now: User) -> None:
    says("Hello!")
    async with database_away():
        with pytest.raises(talk.NotStored):
            await take(maya_now, ORDINARY)
        taken = await take(maya_now, DANGERS["L3"])
        assert taken.acceptance is None
        assert taken.danger is not None
        assert taken.danger.card is not None
        assert taken.danger.card.emergency == "911"
    assert (await Message.objects.acount(), await Incident.objects.acount()) == (0, 0)
    assert await dangers.unfiled_file() == 1
    assert await dangers.unfiled_file() == 0
    assert (await Incident.objects.acount(), await CrisisCount.objects.acount()) == (1, 1)


async def test_danger_does_not_wait_for_an_answer_that_takes_long(maya_now: User) -> None:
    scripted = says(Stall(), "This must never be said.")
    slow = await take(maya_now, "tell me a long story")
    assert slow.acceptance is not None
    talk.turn_start(slow.acceptance.turn_id)
    await until(slow.acceptance, lambda turn: turn.message.decision == "allow")
    urgent = await danger_answered(maya_now)
    ended = {turn.id: turn.finish async for turn in Turn.objects.all()}
    assert ended == {slow.acceptance.turn_id: Finish.STOPPED, urgent.turn_id: Finish.CRISIS}
    await asyncio.gather(*talk._running)
    assert scripted.cancelled == 1


async def test_two_dangers_at_once_are_both_answered_whole_and_in_order(maya_now: User) -> None:
    says("This must never be said.")
    first, second = await take(maya_now, DANGERS["L2"]), await take(maya_now, DANGERS["L4"])
    assert first.acceptance is not None
    assert second.acceptance is not None
    assert await turn_run(first.acceptance.turn_id)
    assert await turn_run(second.acceptance.turn_id)
    ended = [turn async for turn in Turn.objects.order_by("id")]
    assert [turn.finish for turn in ended] == [Finish.CRISIS, Finish.CRISIS]
    for turn in ended:
        trace = await in_database(lambda turn=turn: Turn.objects.get(id=turn.id).trace)
        assert await turn.sentences.acount() == len(trace["words"]) > 0


async def test_written_words_that_a_crash_cut_off_are_said_to_the_end_once(maya_now: User) -> None:
    says("This must never be said.")
    taken = await take(maya_now, DANGERS["L2"])
    assert taken.acceptance is not None
    turn_id = taken.acceptance.turn_id
    words = ["First of it.", "Second of it.", "Third of it."]
    plan = {"words": words, "decision": {"action": "crisis"}, "card": {"title": "Help", "body": "Call 911."}}

    def crash() -> None:
        turn = answering.turn_claim(turn_id, now=clock.now())
        assert turn is not None
        answering.turn_plan(turn_id=turn_id, fence=turn.fence, trace=plan)
        answering.sentence_add(turn_id=turn_id, owner_id=maya_now.id, fence=turn.fence, seq=1, text=words[0])

    await in_database(crash)
    clock.move_to(NOON + timedelta(seconds=16))
    assert await turn_run(turn_id)
    turn = await Turn.objects.aget(id=turn_id)
    said = await in_database(lambda: [row.text for row in turn.sentences.all()])
    assert (turn.finish, said) == (Finish.CRISIS, words)
    assert await CrisisCount.objects.acount() == 0  # counted when it was planned, not again


async def test_the_break_that_was_open_before_a_crisis_is_open_after_it(maya_now: User) -> None:
    says("Hello!")
    await answered(maya_now, "hi there")
    await in_database(close_gate, maya_now, "break")
    await answered(maya_now, DANGERS["L2"])
    assert await in_database(people.break_acknowledge, maya_now)


@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_in_an_edit_that_cannot_be_made_is_answered(maya_now: User, danger: str) -> None:
    says("Hello!", "Hello again!")
    older = await take(maya_now, ORDINARY)
    assert older.acceptance is not None
    with pytest.raises(services.NotPossible):  # its answer is still under way
        await talk.message_correct(person=maya_now, message_id=older.acceptance.message_id, text="hello there")
    for message_id in (older.acceptance.message_id, uuid.uuid4()):
        taken = await talk.message_correct(person=maya_now, message_id=message_id, text=DANGERS[danger])
        assert taken.acceptance is None
        assert taken.danger is not None
        assert taken.danger.bubbles
    assert await Incident.objects.acount() == (0 if danger in ("L1", "abuse") else 2)


async def test_a_row_of_the_past_that_does_not_open_is_left_out(maya_now: User) -> None:
    scripted = says("Hello!")
    _turn, _reply = await answered(maya_now, ORDINARY)
    await in_database(_spoil_messages)
    says("Still here.")
    _turn, reply = await answered(maya_now, "and now?")
    assert reply == "Still here."
    assert scripted.asked


def _spoil_messages() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE chat_message SET body = %s WHERE author = 'user'", [b"not what was sealed"])


async def test_an_incident_that_cannot_be_filed_holds_up_no_other(maya_now: User) -> None:
    says("Hello!")
    gone = await in_database(make_teen, "gone", age=16)
    async with database_away():
        await take(gone, DANGERS["L3"])
        await take(maya_now, DANGERS["L3"])
    await in_database(lambda: User.objects.filter(id=gone.id).delete())
    assert await dangers.unfiled_file() == 1
    assert await dangers.unfiled_file() == 0
    assert [one.person_id async for one in Incident.objects.all()] == [maya_now.id]
    assert await CrisisCount.objects.acount() == 1


async def test_a_text_too_long_to_be_kept_is_filed_after_the_database_was_away_too(maya_now: User) -> None:
    async with database_away():
        assert (await dangers.danger_unkept(maya_now, DANGERS["L3"])).card is not None
    assert await dangers.unfiled_file() == 1
