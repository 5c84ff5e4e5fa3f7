"""The rows of one person's memory, and how they are read, closed and held. Only services and imports write by it."""

from __future__ import annotations

import base64
import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta

import numpy as np

from chatbot.core.encoder import EncoderError, encode
from chatbot.core.encoder.values import Floats
from companion.memory.changes import Instead
from companion.memory.facts import Fact, fact_read
from companion.memory.models import Memory, MemoryState
from companion.memory.reconcile import ends_on, fades, merged, nearest, relation, replaced
from companion.types import Language

log = logging.getLogger(__name__)
MOST = 500
LATELY = timedelta(hours=1)  # what was said before it is not what "forget that" means
HEARD = "heard"  # the message that said it last, where another had said it first
Pair = tuple[Memory, Fact]


def fact_of(row: Memory) -> Fact:
    return fact_read(row.fact)


def last_said(row: Memory) -> datetime:
    """When it was said last: saying it again strengthens it."""
    last = row.fact.get("last")
    return datetime.fromisoformat(last) if last else row.since


def just_said(owner_id: uuid.UUID, at: datetime) -> list[Memory]:
    """All that the last message told or said again that told anything; nothing where that was long ago."""
    rows = [row for row in Memory.objects.filter(owner_id=owner_id) if at - last_said(row) <= LATELY]
    last = max(rows, key=lambda row: (last_said(row), _said_by(row), row.id), default=None)
    return [] if last is None else [row for row in rows if row.id == last.id or _said_by(row) == _said_by(last) != ""]


def _said_by(row: Memory) -> str:
    """The message that said it last; empty where none is known."""
    return str(row.fact.get(HEARD, row.source or ""))


def current_of(owner_id: uuid.UUID, today: date) -> list[Pair]:
    """What holds, oldest first, without what has faded by that day."""
    rows = Memory.objects.filter(owner_id=owner_id, state=MemoryState.CURRENT).order_by("id")
    return [pair for pair in ((row, fact_of(row)) for row in rows) if not _has_faded(*pair, today)]


def _has_faded(row: Memory, fact: Fact, today: date) -> bool:
    return (fades(fact, last_said(row).date()) or today) < today


def has_room(known: Sequence[Pair], at: datetime, most: int) -> bool:
    """Whether one more has its place beside what holds. Where it hasn't, what has faded by then makes room: it is
    history from the day on which it was over."""
    if len(known) < most:
        return True
    faded = [(row, fact) for row, fact in known if _has_faded(row, fact, at.date())]
    for row, fact in faded:
        last = last_said(row)
        row_close(row, max(last, datetime.combine(ends_on(fact, last.date()) or at.date(), time(), tzinfo=at.tzinfo)))
    return len(known) - len(faded) < most


def row_close(row: Memory, at: datetime, *, by: uuid.UUID | None = None) -> None:
    """It is history from then on. `by`: what took its place."""
    row.state, row.until = MemoryState.CLOSED, at
    row.fact = row.fact if by is None else {**row.fact, "by": str(by)}
    row.save(update_fields=["state", "until", "fact"])


def told_together(fact: Fact, pair: Pair, here: Collection[uuid.UUID]) -> bool:
    """Two guinea pigs told in one message are two, whatever one alone would say about the other. `here`: what that
    message told so far."""
    return pair[0].id in here and fact.kind in ("pet", "person") and bool(pair[1].value) and pair[1] != fact


def put_beside(known: Sequence[Pair], row: Memory, fact: Fact, language: Language) -> Fact | None:
    """The fact as it is to be kept in that row, with what it takes the place of closed; None for nothing new."""
    how = [(other, old, relation(fact, old, language, row.since.date())) for other, old in known]
    moves = nearest(fact, [old for _, old, what in how if what == "changes" and fact.kind == "plan"])
    how = [one for one in how if one[2] != "changes" or fact.kind != "plan" or one[1] == moves]
    again = next((other for other, _, what in how if what == "same"), None)
    for other, old, what in how:
        if what in ("refines", "changes"):
            fact = merged(fact, old)
            row_close(other, row.since, by=(again or row).id)
    if again is None:
        return fact
    again.fact = {**again.fact, "times": again.fact.get("times", 1) + 1, "last": row.since.isoformat()}
    if row.source is not None:
        again.fact[HEARD] = str(row.source)
    again.save(update_fields=["fact"])
    return None


def spoken_last(known: Sequence[Pair], today: date) -> Memory | None:
    """The plan that was spoken of last and is still ahead."""
    ahead = [row for row, fact in known if fact.kind == "plan" and (fact.day is None or fact.day >= today)]
    return max(ahead, key=lambda row: (last_said(row), row.id), default=None)


def given_way(
    instead: Sequence[tuple[Instead, str | None]], known: Sequence[Pair], language: Language
) -> list[tuple[Memory, Fact, str | None]]:
    """What gave way to something else: its row, and what is in its place with its vector."""
    found = []
    for one, vector in instead:
        pair = replaced(one, [fact for _, fact in known], language)
        if pair is not None:
            old, new = pair
            found.append((next(row for row, fact in known if fact == old), new, vector))
    return found


def replaced_by(row: Memory, closed: Sequence[Memory]) -> list[Memory]:
    """What this took the place of, what those had taken the place of, and so on."""
    seen, found, left = {row.id}, [], [row]
    while left:
        one = left.pop()
        taken = [other for other in closed if other.id not in seen and _took(one, other)]
        seen.update(other.id for other in taken)
        found += taken
        left += taken
    return found


def _took(row: Memory, other: Memory) -> bool:
    """Whether it took the other's place; of rows from before that was written down, whether it would have."""
    by = other.fact.get("by")
    return by == str(row.id) if by else relation(fact_of(row), fact_of(other), "en") is not None


def held(owner_id: uuid.UUID) -> str:
    """What is locked while this person's memory is compared and written."""
    return f"memory of {owner_id}"


def vectors_of(texts: Sequence[str]) -> list[str | None]:
    """Each text's place by sense, as it is stored; None for all while the encoder is away (words still find them)."""
    try:
        found = encode(texts)
    except EncoderError as error:
        log.error("memory_without_vectors", extra={"reason": str(error)})
        return [None] * len(texts)
    return [base64.b64encode(one.array.astype(np.float16).tobytes()).decode("ascii") for one in found]


def vector_read(stored: str | None) -> Floats | None:
    if stored is None:
        return None
    return np.frombuffer(base64.b64decode(stored), dtype=np.float16).astype(np.float32)
