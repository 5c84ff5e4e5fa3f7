"""Learning from messages: which may be learned from, and which were, so that each is learned from once, by whoever
comes first."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q, QuerySet

from chatbot.accounts import gate
from chatbot.chat.models import Author, Message, TurnState
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.keys import MasterKeyError
from companion.memory.services import memory_keep, memory_understand
from companion.memory.threads import threads_told
from companion.types import Language

WAITING = 100


def message_learn(message: Message, language: Language) -> None:
    """Learn from one message, once, if its owner still has memory on (and it is not frozen, 4.10)."""
    person = message.conversation.person
    try:
        gate.may_keep(person, now=clock.now())
        text = message.body
    except MasterKeyError:  # it comes back
        raise
    except (gate.Refused, CryptoError):  # nobody opens it any more: it must not hold up what comes after it
        message_learned(message.id)
        return
    said_at = message.at.astimezone(gate.zone_of(person))  # their days: "tomorrow" is not tomorrow everywhere
    # Before the transaction: nobody waits for the encoder.
    told = memory_understand(text, language, said_at)
    with transaction.atomic():
        if message_learned(message.id, learned=True):
            memory_keep(told, owner_id=person.id, language=language, said_at=said_at, source=message.id)
            threads_told(owner_id=person.id, text=text, language=language, said_at=said_at, source=message.id)


def messages_learn_waiting(person_id: uuid.UUID, language: Language) -> int:
    """Learn what this person said and no job came to yet, so that it can be asked for, or forgotten: learned later, it
    would come back. Number of messages."""
    waiting = list(_unlearned().filter(owner_id=person_id).select_related("conversation__person")[:WAITING])
    for message in waiting:
        message_learn(message, language)
    return len(waiting)


# Decided `allow`, not off the record, and not learned from yet. Every way to learn asks for all three.
LEARNABLE = Q(decision="allow", off_record=False, remembered_at=None)


def message_learnable(message_id: uuid.UUID) -> Message | None:
    """A message that may be learned from and was not yet."""
    rows = Message.objects.filter(LEARNABLE, id=message_id)
    return rows.select_related("conversation__person").first()


def message_learned(message_id: uuid.UUID, *, learned: bool = False) -> bool:
    """Learned from, or never to be. Counted, and in the transaction that keeps what was learned: of two who learn at
    once one keeps it, and a crash leaves the message for the next."""
    rows = Message.objects.filter(LEARNABLE, id=message_id)
    return rows.update(remembered_at=clock.now(), learned=learned) == 1


def messages_let_go(person_id: uuid.UUID) -> int:
    """Nothing that was said so far is learned any more: everything was just forgotten, and must not come back by a job
    that was late. Number of messages."""
    rows = Message.objects.filter(owner_id=person_id, author=Author.USER, remembered_at=None)
    return rows.update(remembered_at=clock.now())


def messages_unlearned(*, limit: int = WAITING) -> list[uuid.UUID]:
    """Allowed messages with a finished turn that nobody learned from yet."""
    return list(_unlearned().values_list("id", flat=True)[:limit])


def _unlearned() -> QuerySet[Message]:
    rows = Message.objects.filter(LEARNABLE, author=Author.USER, turns__state=TurnState.DONE, turns__engine__gt="")
    return rows.order_by("id").distinct()
