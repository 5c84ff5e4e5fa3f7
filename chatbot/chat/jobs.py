"""Work of the chat that comes after the commit, and the sweeps that find what a crash lost."""

from __future__ import annotations

import uuid

from django.conf import settings

from chatbot.chat import learning, services
from chatbot.chat.material import language_of
from chatbot.core.jobs import job, run_job, sweep


@job("chat.learn")
def learn(message_id: str) -> None:
    """Learn from one message, if nobody did."""
    message = learning.message_learnable(uuid.UUID(message_id))
    if message is not None:
        learning.message_learn(message, language_of(message.conversation.person))


@sweep("chat.learn", every_s=60)
def learn_missed() -> int:
    """Learn from messages whose job was lost. One that breaks holds up nobody else's."""
    missed = learning.messages_unlearned()
    for message_id in missed:
        run_job("chat.learn", str(message_id))
    return len(missed)


@sweep("chat.expire", every_s=3600)
def expire() -> int:
    """Delete what is older than the house keeps messages."""
    return services.messages_expire(days=settings.MESSAGE_DAYS)
