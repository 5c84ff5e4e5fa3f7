"""Taking in what somebody brings back from their own copy: reconciled with what is known, nothing twice.

What a file says happened when it happened: something older never takes the place of something newer, and what was over
by then doesn't come back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction

from chatbot.core import clock
from chatbot.core.ids import new_id
from chatbot.core.locks import hold
from companion.memory.extract import why_not_kept
from companion.memory.facts import Fact, fact_row
from companion.memory.kept import MOST, fact_of, has_room, held, last_said, row_close, vectors_of
from companion.memory.lexicon import sentence
from companion.memory.models import Memory, MemoryState
from companion.memory.reconcile import ONE_ONLY, Relation, merged, relation
from companion.memory.threads import ASKED
from companion.types import Language

MOST_CLOSED = 1000

Outcome = Literal["new", "known", "newer", "private", "planted", "full"]
_Pair = tuple[Memory, Fact]


@dataclass(frozen=True)
class Brought:
    """One memory of a copy. since, last: when it was said first and last; until: when it was over, None if it holds."""

    fact: Fact
    since: datetime
    last: datetime
    until: datetime | None = None


def known_already(*, owner_id: uuid.UUID, brought: Sequence[Brought]) -> tuple[bool, ...]:
    """Which of it is known letter for letter, and needs no second look. In the same order."""
    rows = [(fact_of(row), row.state == MemoryState.CURRENT) for row in Memory.objects.filter(owner_id=owner_id)]
    return tuple(
        any(holds == (one.until is None) and fact.same_thing(one.fact) for fact, holds in rows) for one in brought
    )


def memory_import(*, owner_id: uuid.UUID, brought: Sequence[Brought], language: Language) -> tuple[Outcome, ...]:
    """Keep of it what may be kept and is not known, all in one transaction. What became of each, in the same order.

    `newer`: something that was said since then stands in its place. `full`: there is no more room. Personal data and
    danger are for the caller to look for.
    """
    found: dict[int, Outcome] = {}
    fit: list[int] = []
    for place, one in enumerate(brought):
        reason = why_not_kept(one.fact, language)
        if reason is None:
            fit.append(place)
        else:
            found[place] = reason
    fit.sort(key=lambda place: brought[place].since)
    # Before the transaction: nobody waits for the encoder.
    vectors = dict(zip(fit, vectors_of([sentence(brought[one].fact, language) for one in fit]), strict=True))
    with transaction.atomic():
        hold(held(owner_id))
        taking = _Taking(owner_id, language)
        for place in fit:
            found[place] = taking.take(brought[place], vectors[place])
    return tuple(found[place] for place in range(len(brought)))


class _Taking:
    """One person's rows while a copy is taken in, under their lock."""

    def __init__(self, owner_id: uuid.UUID, language: Language) -> None:
        self._owner_id, self._language = owner_id, language
        rows = [(row, fact_of(row)) for row in Memory.objects.filter(owner_id=owner_id).order_by("id")]
        self._current = [pair for pair in rows if pair[0].state == MemoryState.CURRENT]
        self._closed = [pair for pair in rows if pair[0].state == MemoryState.CLOSED]
        self._brought: set[uuid.UUID] = set()

    def take(self, one: Brought, vector: str | None) -> Outcome:
        return self._past(one, vector) if one.until is not None else self._present(one, vector)

    def _past(self, one: Brought, vector: str | None) -> Outcome:
        end = one.until or one.last
        # What holds since before that end, or is over as well: this stretch of it is known.
        holds = any(row.since <= end for row, fact in self._current if fact.same_thing(one.fact))
        if holds or any(fact.same_thing(one.fact) for _, fact in self._closed):
            return "known"
        if len(self._closed) >= MOST_CLOSED:
            return "full"
        self._closed.append(self._added(one, one.fact, vector))
        return "new"

    def _present(self, one: Brought, vector: str | None) -> Outcome:
        how = [(row, fact, self._relation(one, row, fact)) for row, fact in self._current]
        if any(what == "same" for _, _, what in how):
            return "known"
        over = (row.until for row, fact in self._closed if fact.same_thing(one.fact))
        replaced = (last_said(row) for row, _, what in how if what == "changes")
        if any(moment is not None and moment >= one.last for moment in (*over, *replaced)):
            return "newer"
        gone = [(row, fact) for row, fact, what in how if what is not None]
        if not gone and not self._has_room():
            return "full"
        kept = one.fact
        for _, fact in gone:
            kept = merged(kept, fact)
        added = self._added(one, kept, vector)
        for row, fact in gone:
            row_close(row, max(row.since, one.last), by=added[0].id)
            self._closed.append((row, fact))
        self._current = [*(pair for pair in self._current if pair not in gone), added]
        return "new"

    def _has_room(self) -> bool:
        room = has_room(self._current, clock.now(), MOST)
        self._closed += [pair for pair in self._current if pair[0].state == MemoryState.CLOSED]
        self._current = [pair for pair in self._current if pair[0].state == MemoryState.CURRENT]
        return room

    def _relation(self, one: Brought, row: Memory, known: Fact) -> Relation | None:
        what = relation(one.fact, known, self._language, one.since.date())
        # In the copy both hold: two dogs are two, whatever one alone would say about the other.
        together = row.id in self._brought and what == "changes" and known.kind not in ONE_ONLY
        return None if together else what

    def _added(self, one: Brought, fact: Fact, vector: str | None) -> _Pair:
        row = Memory(id=new_id(), owner_id=self._owner_id, vector=vector, since=one.since, until=one.until)
        row.state = MemoryState.CURRENT if one.until is None else MemoryState.CLOSED
        said: Mapping[str, str] = {} if one.last == one.since else {"last": one.last.isoformat()}
        row.fact = {**fact_row(fact), **said}
        if fact.day is not None and fact.day < clock.now().date():  # nobody is asked how it went by a file
            row.fact = {**row.fact, ASKED: clock.now().isoformat()}
        row.save(force_insert=True)
        self._brought.add(row.id)
        return row, fact
