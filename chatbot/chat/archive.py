"""Everything one person said and was answered, from the beginning, page by page: for their own copy of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chatbot.accounts.models import User
from chatbot.chat.models import Conversation, Message, MessageState

PAGE = 200


@dataclass(frozen=True)
class Talk:
    """One conversation that has messages."""

    id: uuid.UUID
    started_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Said:
    """One message or reply. `replaced`: another answer or a correction took its place on the pages. `off_record`: a
    message that was not to be remembered, or the answer to one."""

    who: str
    text: str
    at: datetime
    reaction: str
    replaced: bool
    off_record: bool


def talks_of(person: User) -> Iterator[Talk]:
    """The person's conversations in order. Only theirs: the rows are asked for by their owner."""
    after = uuid.UUID(int=0)
    while True:
        rows = Conversation.objects.filter(person=person, messages__isnull=False, id__gt=after)
        page = list(rows.distinct().order_by("id")[:PAGE])
        for row in page:
            yield Talk(row.id, row.started_at, row.last_at)
        if len(page) < PAGE:
            return
        after = page[-1].id


def said_in(person: User, talk_id: uuid.UUID) -> Iterator[Said]:
    """What was said in one of the person's conversations, in order. A page of it is open in memory at a time."""
    after = uuid.UUID(int=0)
    while True:
        rows = Message.objects.filter(owner_id=person.id, conversation_id=talk_id, id__gt=after)
        page = list(rows.select_related("reaction").order_by("id")[:PAGE])
        for row in page:
            yield _said(row)
        if len(page) < PAGE:
            return
        after = page[-1].id


def _said(row: Message) -> Said:
    reaction = getattr(row, "reaction", None)
    replaced = row.state == MessageState.REPLACED
    return Said(row.author, row.body, row.at, reaction.emoji if reaction else "", replaced, row.off_record)
