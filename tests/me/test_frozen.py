"""4.10: in plain mode, with memory off or paused, and in a closed account nothing is extracted and nothing recalled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatbot.accounts import services as people
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.models import TimeLimits, User
from chatbot.chat import services as chat
from chatbot.chat.jobs import learn
from chatbot.chat.material import turn_begin
from chatbot.chat.models import Message
from chatbot.core import clock
from chatbot.core.choices import choice_set
from chatbot.core.ids import new_id
from companion.memory.services import memory_list


def says(person: User) -> chat.Acceptance:
    conversation = chat.conversation_start(person=person)
    accepted = chat.message_accept(
        person=person, conversation=conversation, client_id=new_id(), text="i love skateboarding"
    )  # fmt: skip
    Message.objects.filter(id=accepted.message_id).update(decision="allow")
    return accepted


def may_use_memory(accepted: chat.Acceptance) -> bool:
    begun = turn_begin(accepted.turn_id, now=clock.now())
    assert begun is not None
    return begun[1].memory


def off(person: User) -> None:
    TimeLimits.objects.create(person=person, memory_off=True)


def paused(person: User) -> None:
    people.memory_pause(person, paused=True)


def plain(person: User) -> None:
    choice_set("regions", {"*": "plain_mode"})


def closed(person: User) -> None:
    age_doubted(person.id)


@pytest.mark.parametrize("freeze", [off, paused, plain, closed])
def test_nothing_is_learned_and_a_turn_is_given_no_memory(maya: User, freeze: Callable[[User], None]) -> None:
    accepted = says(maya)
    freeze(maya)
    learn(str(accepted.message_id))
    assert memory_list(owner_id=maya.id, language="en") == []
    assert not may_use_memory(accepted)


def test_otherwise_it_is_learned(maya: User) -> None:
    accepted = says(maya)
    learn(str(accepted.message_id))
    assert [view.value for view in memory_list(owner_id=maya.id, language="en")] == ["skateboarding"]
    assert may_use_memory(accepted)
