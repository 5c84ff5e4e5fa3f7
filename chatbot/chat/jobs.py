"""Work of the chat that comes after the commit, and the sweeps that find what a crash lost."""

from __future__ import annotations

import uuid

from django.conf import settings

from chatbot.accounts import gate
from chatbot.chat import services
from chatbot.chat.material import language_of
from chatbot.core import clock
from chatbot.core.jobs import job, sweep
from companion.memory.services import memory_learn
from moderation.incidents.services import helplines_refresh


@job("chat.learn")
def learn(message_id: str) -> None:
    """Learn from one message, once, if its owner still has memory on (and it is not frozen, 4.10)."""
    message = services.message_learnable(uuid.UUID(message_id))
    if message is None:
        return
    person = message.conversation.person
    try:
        gate.may_keep(person, now=clock.now())
    except gate.Refused:
        return
    memory_learn(
        owner_id=person.id, text=message.body, language=language_of(person), said_at=message.at, source=message.id
    )


@sweep("chat.learn", every_s=60)
def learn_missed() -> int:
    """Learn from messages whose job was lost."""
    missed = services.messages_unlearned()
    for message_id in missed:
        learn(str(message_id))
    return len(missed)


@sweep("chat.helplines", every_s=300)
def helplines_look() -> int:
    """Hear of checks of helplines that were recorded by a command, or by another process."""
    helplines_refresh()
    return 0


@sweep("chat.expire", every_s=3600)
def expire() -> int:
    """Delete what is older than the house keeps messages."""
    return services.messages_expire(days=settings.MESSAGE_DAYS)
