"""What was said before a message: all of it for the safety layer, and as much as the companion may still use."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from chatbot.chat.models import Author, Message, MessageState, Sentence, Turn
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.fields import opened
from companion.memory.kept import LATELY
from companion.play.services import OPEN_FOR
from companion.skills.api import Playing
from companion.types import Line

log = structlog.get_logger()
HISTORY = 40


@dataclass(frozen=True)
class Before:
    """A turn's message, and what was said before it, oldest first.

    `usable`: without what was said off the record, as soon as something was said on it since (this message, too).
    `passed`: the answers to these very words that another one was asked for, each as its lines.
    """

    text: str
    off_record: bool
    history: tuple[Line, ...]
    usable: tuple[Line, ...]
    passed: tuple[tuple[Line, ...], ...] = ()


class _Row(NamedTuple):
    id: uuid.UUID
    author: str
    body: Any
    turn_id: uuid.UUID | None
    drawing: str
    off_record: bool


def before_read(turn: Turn) -> Before:
    """Read it. Raises CryptoError where the message itself doesn't open."""
    rows = Message.objects.filter(
        conversation_id=turn.conversation_id, state=MessageState.CURRENT, id__lte=turn.message_id
    ).order_by("-id")
    messages = [_Row(*row) for row in reversed(rows.values_list(*_Row._fields)[: HISTORY + 1])]
    if not messages or messages[-1].id != turn.message_id:
        raise Message.DoesNotExist
    own = messages.pop()
    text = opened(Message, "body", own.body, row_id=own.id, owner_id=turn.owner_id)
    lines = _lines(turn.owner_id, messages)
    usable = _usable(messages, off_record=own.off_record)
    return Before(text, own.off_record, _joined(lines, messages), _joined(lines, usable), _passed(turn))


def _passed(turn: Turn) -> tuple[tuple[Line, ...], ...]:
    if not turn.again:
        return ()
    earlier = Turn.objects.filter(message_id=turn.message_id, id__lt=turn.id).order_by("-id")
    said = _sentences(list(earlier.values_list("id", flat=True)[: turn.again]))
    try:
        return tuple(tuple(_line(turn.owner_id, *piece) for piece in pieces) for pieces in said.values())
    except CryptoError as error:  # as below
        log.error("history_unreadable", turn=str(turn.id), error=type(error).__name__)
        return ()


def _line(owner_id: uuid.UUID, piece_id: uuid.UUID, sealed: Any, line_id: str, drawing: str = "") -> Line:
    text = opened(Sentence, "text", sealed, row_id=piece_id, owner_id=owner_id)
    return Line("companion", text, line_id or None, drawing)


def _usable(messages: Sequence[_Row], *, off_record: bool) -> list[_Row]:
    """What is off the record counts as long as one stays off it."""
    found: list[_Row] = []
    for row in reversed(messages):
        off_record = off_record and row.off_record
        if off_record or not row.off_record:
            found.append(row)
    return found[::-1]


def _joined(lines: dict[uuid.UUID, list[Line]], messages: Iterable[_Row]) -> tuple[Line, ...]:
    return tuple(line for row in messages for line in lines[row.id])


def _lines(owner_id: uuid.UUID, messages: Sequence[_Row]) -> dict[uuid.UUID, list[Line]]:
    """By message, opened."""
    said = _sentences([row.turn_id for row in messages if row.turn_id and row.author == Author.COMPANION])
    lines: dict[uuid.UUID, list[Line]] = {row.id: [] for row in messages}
    for row in messages:
        try:
            if row.author == Author.USER:
                text = opened(Message, "body", row.body, row_id=row.id, owner_id=owner_id)
                lines[row.id].append(Line("user", text))
                continue
            for piece in said.get(row.turn_id, ()) if row.turn_id else ():
                lines[row.id].append(_line(owner_id, *piece, row.drawing))
        except CryptoError as error:  # one broken row of the past is left out; it must not silence the conversation
            log.error("history_unreadable", message=str(row.id), error=type(error).__name__)
    return lines


def _sentences(turns: list[uuid.UUID]) -> dict[uuid.UUID, list[tuple[uuid.UUID, Any, str]]]:
    """What was said in each of these turns, in order and still sealed: id, text, and the line of the bank."""
    found: dict[uuid.UUID, list[tuple[uuid.UUID, Any, str]]] = {}
    rows = Sentence.objects.filter(turn_id__in=turns).order_by("turn_id", "seq")
    for turn_id, piece_id, text, line_id in rows.values_list("turn_id", "id", "text", "line_id"):
        found.setdefault(turn_id, []).append((piece_id, text, line_id))
    return found


def played_off(turn: Turn, *, now: datetime) -> tuple[Playing, ...]:
    """The games that are open off the record. They stand in the trace of the turn before and nowhere else: with the
    first message on the record they are over, and with the messages they are gone."""
    earlier = Turn.objects.filter(conversation_id=turn.conversation_id, id__lt=turn.id)
    last = earlier.exclude(message_id=turn.message_id).order_by("-id").first()
    if last is None or last.done_at is None or last.done_at + OPEN_FOR <= now:
        return ()
    try:
        return tuple(Playing(**row) for row in (last.trace or {}).get("played", ()))
    except (CryptoError, TypeError) as error:  # of a version before, or as above: the game is over, the talk goes on
        log.error("history_unreadable", turn=str(last.id), error=type(error).__name__)
        return ()


def spoken_before(conversation_id: uuid.UUID, turn_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    """The memories, and the messages said back, that the reply just before this turn spoke of: "forget that" means
    those, if it is said soon."""
    last = Turn.objects.filter(conversation_id=conversation_id, id__lt=turn_id).order_by("-id").first()
    if last is None or last.done_at is None or clock.now() - last.done_at > LATELY:
        return ()
    try:
        return tuple(uuid.UUID(one) for one in (last.trace or {}).get("spoken_of", ()))
    except CryptoError as error:  # as above: then it is what they said themselves
        log.error("history_unreadable", turn=str(last.id), error=type(error).__name__)
        return ()
