"""The rows of one person's memory, and how they are read, closed and held. Only services and imports write by it."""

from __future__ import annotations

import base64
import logging
import uuid
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np

from chatbot.core.encoder import EncoderError, encode
from chatbot.core.encoder.values import Floats
from companion.memory.facts import Fact, fact_read
from companion.memory.models import Memory, MemoryState
from companion.memory.reconcile import fades, relation

log = logging.getLogger(__name__)
MOST = 500


def fact_of(row: Memory) -> Fact:
    return fact_read(row.fact)


def last_said(row: Memory) -> datetime:
    """When it was said last: saying it again strengthens it."""
    last = row.fact.get("last")
    return datetime.fromisoformat(last) if last else row.since


def current_of(owner_id: uuid.UUID, today: date) -> list[tuple[Memory, Fact]]:
    """What holds, oldest first, without what has faded by that day."""
    rows = Memory.objects.filter(owner_id=owner_id, state=MemoryState.CURRENT).order_by("id")
    pairs = [(row, fact_of(row)) for row in rows]
    return [(row, fact) for row, fact in pairs if (fades(fact, last_said(row).date()) or today) >= today]


def row_close(row: Memory, at: datetime, *, by: uuid.UUID | None = None) -> None:
    """It is history from then on. `by`: what took its place."""
    row.state, row.until = MemoryState.CLOSED, at
    row.fact = row.fact if by is None else {**row.fact, "by": str(by)}
    row.save(update_fields=["state", "until", "fact"])


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
