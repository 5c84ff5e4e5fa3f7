"""Two tabs, two processes, a job beside a turn: what happens in the same moment is as if one came after the other.

On SQLite writers stand in line anyway; tests/service/test_rows.py runs these on PostgreSQL, where they do not.
"""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections

from chatbot.accounts.models import User
from chatbot.chat import answering, services, talk
from chatbot.chat.material import screening_store, turn_begin
from chatbot.chat.models import Conversation, Finish, Message, Turn
from chatbot.core import clock
from chatbot.core.ids import new_id
from moderation import screen
from moderation.incidents import services as incidents
from moderation.incidents.models import Incident
from moderation.types import WatchState
from tests.at_once import at_once, came
from tests.chat.house import accept, answer_empty

pytestmark = pytest.mark.django_db(transaction=True)


# --- the order of turns -----------------------------------------------------------------------------------------------


def test_a_follower_misses_no_turn_of_those_that_come_at_once(maya_at_noon: User) -> None:
    """It asks for what is newer than what it has seen: none may come to stand before that later."""
    conversation = services.conversation_start(person=maya_at_noon)
    seen: list[uuid.UUID] = []
    over = threading.Event()

    def follow() -> None:
        last = conversation.id
        while True:
            ending = over.is_set()
            newer = Turn.objects.filter(conversation_id=conversation.id, id__gt=last).order_by("id")
            for turn_id in newer.values_list("id", flat=True):
                seen.append(turn_id)
                last = turn_id
            if ending:
                connections.close_all()
                return

    def say() -> list[uuid.UUID]:
        return [accept(maya_at_noon, conversation).turn_id for _ in range(12)]

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        said = came(at_once(*[say] * 5))
    finally:
        over.set()
        follower.join()
    assert len(seen) == 60
    assert set(seen) == {turn for turns in said for turn in turns}
    assert seen == sorted(seen)
    messages = list(Message.objects.order_by("id").values_list("turn_id", flat=True))
    assert messages == seen


def test_a_clock_that_is_behind_puts_nothing_out_of_order(maya_at_noon: User) -> None:
    conversation = services.conversation_start(person=maya_at_noon)
    first = accept(maya_at_noon, conversation)
    answer_empty(first)
    ahead = uuid.UUID(int=new_id().int + (60_000 << 80))  # a reply written where the clock is a minute ahead
    Message(
        id=ahead,
        owner_id=maya_at_noon.id,
        conversation=conversation,
        author="companion",
        body="hello",
        turn_id=first.turn_id,
    ).save(force_insert=True)
    second = accept(maya_at_noon, conversation)
    assert second.message_id > ahead
    assert second.turn_id > first.turn_id
    turn = answering.turn_claim(second.turn_id, now=clock.now())
    assert turn is not None
    assert answering.sentence_add(
        turn_id=second.turn_id, owner_id=maya_at_noon.id, fence=turn.fence, seq=1, text="hello again"
    )
    reply = answering.turn_finish(
        turn=turn, finish=Finish.COMPLETE, engine="scripted", trace={}, timings={},
        learn=False,
    )  # fmt: skip
    assert reply is not None
    assert reply > second.message_id
    again = services.turn_again(person=maya_at_noon, turn_id=second.turn_id)
    assert again.turn_id > second.turn_id


def test_a_double_send_in_the_same_moment_is_one_message(maya_at_noon: User) -> None:
    conversation, client_id = services.conversation_start(person=maya_at_noon), uuid.uuid4()
    found = came(at_once(*[lambda: accept(maya_at_noon, conversation, client_id=client_id)] * 5))
    assert len({(one.message_id, one.turn_id) for one in found}) == 1
    assert sum(one.new for one in found) == 1
    assert (Message.objects.count(), Turn.objects.count()) == (1, 1)


def test_two_tabs_that_open_at_once_are_in_one_conversation(maya_at_noon: User) -> None:
    found = came(at_once(*[lambda: services.conversation_open(person=maya_at_noon).id] * 5))
    assert len(set(found)) == 1
    assert Conversation.objects.count() == 1


def test_of_two_who_want_another_answer_one_is_first(maya_at_noon: User) -> None:
    accepted = accept(maya_at_noon, services.conversation_start(person=maya_at_noon))
    answer_empty(accepted)
    found = at_once(*[lambda: services.turn_again(person=maya_at_noon, turn_id=accepted.turn_id)] * 4)
    assert sum(isinstance(one, services.Acceptance) for one in found) == 1
    assert sum(isinstance(one, services.NotPossible) for one in found) == 3
    assert Turn.objects.count() == 2


def test_a_message_and_a_correction_at_once_leave_the_last_one_corrected_or_none(maya_at_noon: User) -> None:
    conversation = services.conversation_start(person=maya_at_noon)
    accepted = accept(maya_at_noon, conversation, "tow")
    answer_empty(accepted)
    new, edit = at_once(
        lambda: accept(maya_at_noon, conversation),
        lambda: services.message_edit(person=maya_at_noon, message_id=accepted.message_id, text="two"),
    )
    assert isinstance(new, services.Acceptance)
    assert isinstance(edit, services.Acceptance | services.NotPossible)
    if isinstance(edit, services.Acceptance):
        assert edit.turn_id < new.turn_id


def test_one_of_many_takes_a_turn(maya_at_noon: User) -> None:
    accepted = accept(maya_at_noon, services.conversation_start(person=maya_at_noon))
    found = came(at_once(*[lambda: answering.turn_claim(accepted.turn_id, now=clock.now())] * 6))
    assert [turn.fence for turn in found if turn is not None] == [1]


def test_a_conversation_that_went_meanwhile_takes_no_message(maya_at_noon: User) -> None:
    conversation = services.conversation_start(person=maya_at_noon)
    Conversation.objects.all().delete()
    with pytest.raises(services.NotYours):
        accept(maya_at_noon, conversation)
    assert Message.objects.count() == 0


async def test_danger_in_a_conversation_that_went_meanwhile_is_answered_all_the_same(maya_at_noon: User) -> None:
    taken = await talk.message_take(
        person=maya_at_noon, conversation_id=new_id(), client_id=uuid.uuid4(), text="im going to kill myself"
    )
    assert taken.acceptance is None
    assert taken.danger is not None
    assert taken.danger.bubbles


# --- who holds a turn -------------------------------------------------------------------------------------------------


def test_who_lost_a_turn_decides_nothing_about_its_message(maya_at_noon: User) -> None:
    accepted = accept(maya_at_noon, services.conversation_start(person=maya_at_noon), "im going to kill myself")
    begun = turn_begin(accepted.turn_id, now=clock.now())
    assert begun is not None
    turn, material = begun
    screening = screen.check_message(
        material.text, band=material.band, language=material.language, watch=material.watch, now=clock.now()
    )
    taken_up = answering.turn_claim(accepted.turn_id, now=clock.now() + timedelta(seconds=16))
    assert taken_up is not None
    assert taken_up.fence == turn.fence + 1
    with pytest.raises(answering.LeaseLost):
        screening_store(material, screening, None, fence=turn.fence)
    assert Incident.objects.count() == 0
    assert incidents.watch_load(maya_at_noon.id) == WatchState()
    assert Message.objects.get().decision == ""
    screening_store(material, screening, None, fence=taken_up.fence)
    assert Incident.objects.count() == 1
    with pytest.raises(answering.LeaseLost):
        answering.turn_plan(turn_id=accepted.turn_id, fence=turn.fence, trace={"words": ["late"]})


def test_a_lease_is_not_renewed_once_the_turn_is_done(maya_at_noon: User) -> None:
    accepted = accept(maya_at_noon, services.conversation_start(person=maya_at_noon))
    answer_empty(accepted)
    with pytest.raises(answering.LeaseLost):
        answering.turn_renew(accepted.turn_id, 1, now=clock.now())


def test_many_broken_turns_keep_nobody_else_waiting(maya_at_noon: User) -> None:
    tried = [accept(maya_at_noon, services.conversation_start(person=maya_at_noon)) for _ in range(4)]
    Turn.objects.update(fence=3)
    crowded = services.conversation_start(person=maya_at_noon)
    crowd = [accept(maya_at_noon, crowded) for _ in range(4)]
    other = accept(maya_at_noon, services.conversation_start(person=maya_at_noon))
    assert answering.turns_lost(now=clock.now(), most=2) == [crowd[0].turn_id, other.turn_id]
    found = answering.turns_lost(now=clock.now())
    assert found == [crowd[0].turn_id, other.turn_id, *(one.turn_id for one in tried)]
