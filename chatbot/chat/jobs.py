"""Work of the chat that comes after the commit, and the sweeps that find what a crash lost."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction

from chatbot.accounts import gate
from chatbot.chat import learning, services
from chatbot.chat.material import language_of
from chatbot.core import clock
from chatbot.core.jobs import job, sweep
from companion.memory.services import memory_keep, memory_understand


@job("chat.learn")
def learn(message_id: str) -> None:
    """Learn from one message, once, if its owner still has memory on (and it is not frozen, 4.10)."""
    message = learning.message_learnable(uuid.UUID(message_id))
    if message is None:
        return
    person, language = message.conversation.person, language_of(message.conversation.person)
    try:
        gate.may_keep(person, now=clock.now())
    except gate.Refused:
        learning.message_learned(message.id)
        return
    said_at = message.at.astimezone(gate.zone_of(person))  # their days: "tomorrow" is not tomorrow everywhere
    # Before the transaction: nobody waits for the encoder.
    told = memory_understand(message.body, language, said_at)
    with transaction.atomic():
        if learning.message_learned(message.id):
            memory_keep(told, owner_id=person.id, language=language, said_at=said_at, source=message.id)


@sweep("chat.learn", every_s=60)
def learn_missed() -> int:
    """Learn from messages whose job was lost."""
    missed = learning.messages_unlearned()
    for message_id in missed:
        learn(str(message_id))
    return len(missed)


@sweep("chat.expire", every_s=3600)
def expire() -> int:
    """Delete what is older than the house keeps messages."""
    return services.messages_expire(days=settings.MESSAGE_DAYS)
