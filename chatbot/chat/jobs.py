"""Work of the chat that comes after the commit, and the sweeps that find what a crash lost."""

from __future__ import annotations

import uuid

from django.conf import settings

from chatbot.accounts.models import User
from chatbot.chat import learning, services, summing
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


@job("chat.sum")
def sum_up(person_id: str) -> None:
    """Sum up the talks of one person that are over, if nobody did."""
    person = User.objects.filter(id=person_id).first()
    if person is not None:
        summing.talks_sum_waiting(person.id, language_of(person), most=summing.WAITING)


@sweep("chat.sum", every_s=60)
def sum_up_missed() -> int:
    """Sum up talks that ended: nobody says when somebody goes. One that breaks holds up nobody else's."""
    people = summing.people_waiting()
    for person_id in people:
        run_job("chat.sum", str(person_id))
    return len(people)


@sweep("chat.expire", every_s=3600)
def expire() -> int:
    """Delete what is older than the house keeps messages."""
    return services.messages_expire(days=settings.MESSAGE_DAYS)
