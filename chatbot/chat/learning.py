"""Which messages may be learned from, and which were: so that each is learned from once, by whoever comes first."""

from __future__ import annotations

import uuid

from chatbot.chat.models import Author, Message, TurnState
from chatbot.core import clock


def message_learnable(message_id: uuid.UUID) -> Message | None:
    """A message that may be learned from and was not yet: decided `allow`."""
    rows = Message.objects.filter(id=message_id, decision="allow", remembered_at=None)
    return rows.select_related("conversation__person").first()


def message_learned(message_id: uuid.UUID) -> bool:
    """Learned from, or never to be. Counted, and in the transaction that keeps what was learned: of two who learn at
    once one keeps it, and a crash leaves the message for the next."""
    rows = Message.objects.filter(id=message_id, decision="allow", remembered_at=None)
    return rows.update(remembered_at=clock.now()) == 1


def messages_let_go(person_id: uuid.UUID) -> int:
    """Nothing that was said so far is learned any more: everything was just forgotten, and must not come back by a job
    that was late. Number of messages."""
    rows = Message.objects.filter(owner_id=person_id, author=Author.USER, remembered_at=None)
    return rows.update(remembered_at=clock.now())


def messages_unlearned(*, limit: int = 100) -> list[uuid.UUID]:
    """Allowed messages with a finished turn that nobody learned from yet."""
    rows = Message.objects.filter(
        author=Author.USER, decision="allow", remembered_at=None, turns__state=TurnState.DONE, turns__engine__gt=""
    )
    return list(rows.order_by("id").distinct().values_list("id", flat=True)[:limit])
