"""What is known and counted about one person, in the same moment from two sides. As in test_at_once.py."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError

from chatbot.accounts import services as people
from chatbot.accounts.models import Presence, UsageDay, User
from chatbot.chat import jobs, learning, services
from chatbot.chat.material import screening_store, turn_begin
from chatbot.core import clock
from chatbot.core.ids import new_id
from companion.memory import services as memory
from companion.profile.models import Companion
from companion.profile.services import companion_shape
from moderation import screen
from moderation.incidents import services as incidents
from moderation.incidents.models import Incident, IncidentEvent
from moderation.types import Decision, WatchState
from tests.at_once import at_once, came
from tests.chat.house import NOON, accept, answer_empty

pytestmark = pytest.mark.django_db(transaction=True)


# --- learning and forgetting ------------------------------------------------------------------------------------------


def told(person: User, text: str) -> services.Acceptance:
    accepted = accept(person, services.conversation_start(person=person), text)
    answer_empty(accepted, learn=True)
    return accepted


def known(person: User) -> list[str]:
    return [view.value for view in memory.memory_list(owner_id=person.id, language="en") if view.until is None]


def test_the_same_thing_told_twice_at_once_is_known_once(maya_at_noon: User) -> None:
    messages = [told(maya_at_noon, "i love skateboarding").message_id for _ in range(4)]
    came(at_once(*[lambda one=one: jobs.learn(str(one)) for one in messages]))
    assert known(maya_at_noon) == ["skateboarding"]


def test_two_names_told_at_once_leave_one(maya_at_noon: User) -> None:
    messages = [told(maya_at_noon, f"my name is {name}").message_id for name in ("Maya", "Bia", "Ines")]
    came(at_once(*[lambda one=one: jobs.learn(str(one)) for one in messages]))
    assert len(known(maya_at_noon)) == 1


def test_one_message_is_learned_from_once_by_whoever_comes_first(maya_at_noon: User) -> None:
    message = told(maya_at_noon, "i love skateboarding").message_id
    came(at_once(*[lambda: jobs.learn(str(message))] * 4))
    assert known(maya_at_noon) == ["skateboarding"]
    assert learning.messages_unlearned() == []


def test_learning_that_breaks_is_done_by_the_next_look(maya_at_noon: User, monkeypatch: pytest.MonkeyPatch) -> None:
    message = told(maya_at_noon, "i love skateboarding").message_id

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(memory.Memory, "save", away)
        with pytest.raises(OperationalError):
            jobs.learn(str(message))
    assert known(maya_at_noon) == []
    assert learning.messages_unlearned() == [message]
    assert jobs.learn_missed() == 1
    assert known(maya_at_noon) == ["skateboarding"]


def test_what_may_not_be_learned_is_not_looked_at_again(maya_at_noon: User) -> None:
    message = told(maya_at_noon, "i love skateboarding").message_id
    people.memory_pause(maya_at_noon, paused=True)
    jobs.learn(str(message))
    people.memory_pause(maya_at_noon, paused=False)
    assert learning.messages_unlearned() == []
    jobs.learn(str(message))
    assert known(maya_at_noon) == []


def test_what_was_said_before_everything_was_forgotten_does_not_come_back(maya_at_noon: User) -> None:
    message = told(maya_at_noon, "i love skateboarding").message_id
    asked = accept(maya_at_noon, services.conversation_start(person=maya_at_noon), "forget everything about me")
    begun = turn_begin(asked.turn_id, now=clock.now())
    assert begun is not None
    turn, material = begun
    screening = screen.check_message(
        material.text, band=material.band, language=material.language, watch=material.watch, now=clock.now()
    )
    found = screening_store(material, screening, None, fence=turn.fence)
    assert found.answer is not None
    assert found.answer.forgot_all
    jobs.learn(str(message))  # late
    assert jobs.learn_missed() == 0
    assert known(maya_at_noon) == []


def test_a_correction_of_what_is_forgotten_in_that_moment_is_no_fault(maya_at_noon: User) -> None:
    for _ in range(4):
        jobs.learn(str(told(maya_at_noon, "i love skateboarding").message_id))
        (view,) = memory.memory_list(owner_id=maya_at_noon.id, language="en")
        corrected, forgot = at_once(
            lambda view=view: memory.memory_correct(owner_id=maya_at_noon.id, memory_id=view.id, value="surfing"),
            lambda view=view: memory.memory_forget(owner_id=maya_at_noon.id, memory_id=view.id),
        )
        assert corrected is None or isinstance(corrected, memory.MemoryNotFound)
        assert forgot is None
        assert known(maya_at_noon) == []


# --- the watch --------------------------------------------------------------------------------------------------------


def test_two_conversations_at_once_both_count_in_the_watch(maya_at_noon: User) -> None:
    texts = ("my stepdad hits me every night and i'm scared to go home", "i had toast for breakfast")
    turns = [accept(maya_at_noon, services.conversation_start(person=maya_at_noon), text) for text in texts]
    materials = [turn_begin(turn.turn_id, now=clock.now()) for turn in turns]

    def keep(at: int) -> None:
        begun = materials[at]
        assert begun is not None
        turn, material = begun
        screening = screen.check_message(
            material.text, band=material.band, language=material.language, watch=material.watch, now=clock.now()
        )
        screening_store(material, screening, None, fence=turn.fence)

    came(at_once(lambda: keep(0), lambda: keep(1)))
    assert incidents.watch_load(maya_at_noon.id).home_danger
    assert incidents.watch_load(maya_at_noon.id).sequence is not None


@pytest.mark.parametrize("first", [0, 1])
def test_a_message_that_read_the_watch_too_early_undoes_nothing(maya_at_noon: User, first: int) -> None:
    before = incidents.watch_load(maya_at_noon.id)
    stores = [WatchState(level="L3", signal_at=clock.now(), home_danger=True), WatchState(lows=1, low_at=clock.now())]
    for at in (first, 1 - first):
        incidents.watch_store(maya_at_noon.id, stores[at], before=before)
    found = incidents.watch_load(maya_at_noon.id)
    assert (found.level, found.home_danger, found.lows) == ("L3", True, 1)


def test_cards_shown_at_once_are_all_counted(maya_at_noon: User) -> None:
    def show() -> None:
        before = incidents.watch_load(maya_at_noon.id)
        incidents.watch_store(maya_at_noon.id, WatchState(cards=before.cards + 1), before=before)
        incidents.referral_count(region="US-CA", category="T01", band="13-15")

    came(at_once(*[show] * 6))
    assert incidents.watch_load(maya_at_noon.id).cards == 6
    assert incidents.CrisisCount.objects.get().count == 6


def test_one_turn_that_two_hold_to_be_theirs_is_one_incident(maya_at_noon: User) -> None:
    turn = new_id()

    def file() -> uuid.UUID:
        return incidents.incident_file(
            person_id=maya_at_noon.id, conversation_id=None, turn_id=turn, excerpt="words", kind="message",
            decision=Decision(action="crisis", severity=3),
        ).id  # fmt: skip

    assert len(set(came(at_once(*[file] * 6)))) == 1
    assert (Incident.objects.count(), IncidentEvent.objects.count()) == (1, 1)


# --- minutes, breaks, the companion ----------------------------------------------------------------------------------


def test_tabs_that_send_at_once_count_the_same_minutes_once(maya_at_noon: User) -> None:
    people.usage_record(maya_at_noon, now=NOON)
    now = NOON + timedelta(minutes=10)
    came(at_once(*[lambda: people.usage_record(maya_at_noon, now=now)] * 5))
    day = UsageDay.objects.get()
    assert (day.seconds, day.turns) == (600, 6)


def test_what_was_seen_before_another_tab_wrote_is_not_counted_on(maya_at_noon: User) -> None:
    people.usage_record(maya_at_noon, now=NOON)
    seen, now = Presence.objects.get(), NOON + timedelta(minutes=10)
    came(at_once(*[lambda: people.usage_record(maya_at_noon, now=now, seen=seen)] * 5))
    day = UsageDay.objects.get()
    assert (day.seconds, day.turns) == (600, 6)


def test_a_break_that_began_since_the_row_was_seen_stays_open(maya_at_noon: User) -> None:
    people.usage_record(maya_at_noon, now=NOON)
    Presence.objects.update(run_from=NOON - timedelta(minutes=61))
    seen, now = Presence.objects.get(), NOON + timedelta(minutes=1)
    assert people.break_look(maya_at_noon, now=now)
    assert not people.usage_record(maya_at_noon, now=now, seen=seen)
    presence = Presence.objects.get()
    assert (presence.break_open, presence.reminded_at, presence.last_at) == (True, now, now)


def test_a_message_does_not_undo_the_break_that_fell_due_beside_it(maya_at_noon: User) -> None:
    people.usage_record(maya_at_noon, now=NOON)
    Presence.objects.update(run_from=NOON - timedelta(minutes=61))
    now = NOON + timedelta(minutes=1)
    found = came(
        at_once(
            *[lambda: people.usage_record(maya_at_noon, now=now)] * 4, lambda: people.break_look(maya_at_noon, now=now)
        )
    )
    assert sum(found) == 1
    assert Presence.objects.get().break_open


def test_two_clocks_that_differ_a_little_end_no_run(maya_at_noon: User) -> None:
    people.usage_record(maya_at_noon, now=NOON)
    people.usage_record(maya_at_noon, now=NOON - timedelta(seconds=2))
    presence = Presence.objects.get()
    assert (presence.run_from, presence.last_at) == (NOON, NOON)
    people.usage_record(maya_at_noon, now=NOON - timedelta(hours=2))  # a clock that was put back is another matter
    assert Presence.objects.get().run_from == NOON - timedelta(hours=2)


def test_a_companion_shaped_in_two_tabs_is_one(maya_at_noon: User) -> None:
    def shape(name: str) -> None:
        companion_shape(owner_id=maya_at_noon.id, name=name, colour="sky", playful=1, curious=2, gentle=3)

    came(at_once(*[lambda name=name: shape(name) for name in ("Bento", "Luna", "Kiko")]))
    assert Companion.objects.get().name in ("Bento", "Luna", "Kiko")
