"""Reading conversations on behalf of their owner."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from chatbot.accounts import gate
from chatbot.accounts.models import User
from chatbot.chat.frames import DrawingView, MessageView
from chatbot.chat.material import language_of
from chatbot.chat.models import Author, Conversation, Finish, Message, MessageState, Sentence, Turn, TurnState
from chatbot.core.keys import KeyMissing
from companion.personas.drawings import drawings
from companion.types import Language

PAGE = 50


@dataclass(frozen=True)
class ConversationView:
    """A conversation in a list: when, how many messages, and how it began; never with words of a crisis, which anybody
    could read there over a shoulder."""

    id: uuid.UUID
    last_at: Any
    count: int
    opening: str


@dataclass(frozen=True)
class Progress:
    """How far a turn is: the sentences after a seq, and its end when it has come."""

    turn_id: uuid.UUID
    sentences: tuple[tuple[int, str], ...]
    done: bool
    finish: str
    message_id: uuid.UUID | None
    trace: dict[str, Any]
    drawing: DrawingView | None
    again: bool


def conversation_messages(
    conversation: Conversation, *, before: uuid.UUID | None = None, limit: int = PAGE
) -> list[MessageView]:
    """A page of messages, oldest first. Replaced replies are left out."""
    rows = Message.objects.filter(conversation=conversation, state=MessageState.CURRENT)
    if before is not None:
        rows = rows.filter(id__lt=before)
    page = list(rows.select_related("reaction").order_by("-id")[:limit])
    language = language_of(conversation.person)
    asked = Turn.objects.filter(id__in=[row.turn_id for row in page if row.author == Author.COMPANION], again__gt=0)
    last = {turn.id for turn in asked if turn.is_last}
    return [_view(row, language, again=row.turn_id not in last) for row in reversed(page)]


def messages_stand(person: User, message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The conversation of each of one's own messages that is still there, by message."""
    rows = Message.objects.filter(owner_id=person.id, id__in=list(message_ids), state=MessageState.CURRENT)
    return dict(rows.values_list("id", "conversation_id"))


def _view(row: Message, language: Language, *, again: bool) -> MessageView:
    reaction = getattr(row, "reaction", None)
    return MessageView(
        id=row.id,
        author="user" if row.author == Author.USER else "companion",
        text=row.body,
        at=row.at.isoformat(),
        turn=row.turn_id,
        reactions=[reaction.emoji] if reaction else [],
        state="current",
        drawing=drawing_view(row.drawing, language),
        off_record=row.off_record,
        again=again or row.author == Author.USER,
    )


def drawing_view(name: str, language: Language) -> DrawingView | None:
    """The drawing with its caption; None for none, and for one that is drawn no more."""
    found = drawings().get(name)
    return None if found is None else DrawingView(name=name, caption=found.captions[language])


def conversations_of(person: User, *, limit: int = PAGE) -> list[ConversationView]:
    """The person's conversations that have messages, the latest first."""
    found = []
    for row in Conversation.objects.filter(person=person, messages__isnull=False).distinct()[:limit]:
        grave = Turn.objects.filter(conversation=row, finish=Finish.CRISIS).values("id")
        first = row.messages.filter(author=Author.USER).exclude(turn_id__in=grave).order_by("id").first()
        found.append(ConversationView(row.id, row.last_at, row.messages.count(), _opening(first)))
    return found


def _opening(first: Message | None) -> str:
    """How it began. Empty as well where the person's key is missing: the page around the list must open."""
    try:
        return first.body[:80] if first else ""
    except KeyMissing:
        return ""


def conversation_of(person: User, conversation_id: uuid.UUID) -> Conversation:
    """One's own conversation. Raises gate.Refused, whether it does not exist or belongs to somebody else."""
    row = Conversation.objects.filter(id=conversation_id).first()
    if row is None:
        raise gate.Refused
    gate.may_own(person, row.person_id)
    return row


def turn_of(person: User, turn_id: uuid.UUID) -> Turn:
    """One's own turn. Raises gate.Refused, whether it does not exist or belongs to somebody else."""
    row = Turn.objects.filter(id=turn_id).first()
    if row is None:
        raise gate.Refused
    gate.may_own(person, row.owner_id)
    return row


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char))


def messages_search(person: User, words: str, *, limit: int = PAGE, most: int = 5000) -> list[Message]:
    """One's own messages that hold all the words, the latest first. Opened here, never searched in the database."""
    wanted = _plain(words).split()[:8]
    if not wanted:
        return []
    found: list[Message] = []
    rows = Message.objects.filter(owner_id=person.id, state=MessageState.CURRENT).order_by("-id")[:most]
    for row in rows.iterator():
        text = _plain(row.body)
        if all(word in text for word in wanted):
            found.append(row)
            if len(found) == limit:
                break
    return found


def turns_open(conversation_id: uuid.UUID) -> list[uuid.UUID]:
    """Turns of a conversation that are not done, in order."""
    rows = Turn.objects.filter(conversation_id=conversation_id).exclude(state=TurnState.DONE).order_by("id")
    return list(rows.values_list("id", flat=True))


def turn_newest(conversation_id: uuid.UUID) -> uuid.UUID | None:
    """The newest turn of a conversation that is done."""
    rows = Turn.objects.filter(conversation_id=conversation_id, state=TurnState.DONE).order_by("-id")
    return rows.values_list("id", flat=True).first()


def turns_after(conversation_id: uuid.UUID, after: uuid.UUID | None) -> list[uuid.UUID]:
    """Turns that are open, or newer than that one: a short turn may begin and end between two looks."""
    wanted = ~Q(state=TurnState.DONE)
    if after is not None:
        wanted |= Q(id__gt=after)
    rows = Turn.objects.filter(wanted, conversation_id=conversation_id).order_by("id")
    return list(rows.values_list("id", flat=True))


def turn_progress(turn_id: uuid.UUID, *, after: int) -> Progress | None:
    """What came of a turn after that seq. Read in this order, so that an end never comes before its sentences."""
    turn = Turn.objects.filter(id=turn_id).select_related("conversation__person").first()
    if turn is None:
        return None
    rows = Sentence.objects.filter(turn_id=turn_id, seq__gt=after).order_by("seq")
    reply = Message.objects.filter(turn_id=turn_id, author=Author.COMPANION).order_by("-id").first()
    return Progress(
        turn_id=turn_id,
        sentences=tuple((row.seq, row.text) for row in rows),
        done=turn.state == TurnState.DONE,
        finish=turn.finish,
        message_id=reply.id if reply else None,
        trace=turn.trace or {},
        drawing=drawing_view((turn.trace or {}).get("drawing", ""), language_of(turn.conversation.person)),
        again=not turn.is_last,
    )


def reply_of(turn_id: uuid.UUID) -> str:
    """The reply of a turn as it was stored; empty when nothing was said."""
    reply = Message.objects.filter(turn_id=turn_id, author=Author.COMPANION).order_by("-id").first()
    return reply.body if reply else ""


def adult_line_coming(turn_id: uuid.UUID) -> bool:
    """Whether this turn has still to tell the teen that their guardian is asked: it is open, not planned without, and
    its words are not all stored (the job may come before the turn is closed)."""
    turn = Turn.objects.filter(id=turn_id).exclude(state=TurnState.DONE).first()
    if turn is None:
        return False
    if turn.trace is None:
        return True
    return bool(turn.trace.get("adult_told")) and turn.sentences.count() < len(turn.trace.get("words", ()))


def decisions_since(since: datetime) -> Iterator[dict[str, Any]]:
    """What was decided about the messages of that time, as their turns keep it: numbers and names of rules."""
    for turn in Turn.objects.filter(state=TurnState.DONE, done_at__gte=since).iterator():
        try:
            trace = turn.trace or {}
        except KeyMissing:  # this person is being erased
            continue
        if "decision" in trace:
            yield trace["decision"]
