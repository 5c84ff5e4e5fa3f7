"""Learn, recall, correct, forget. The only way to what is remembered; `answers` says it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import numpy as np
from django.db import transaction

from chatbot.core import clock
from chatbot.core.erasure import copies_drop
from chatbot.core.gone import gone_note
from chatbot.core.ids import new_id
from chatbot.core.locks import hold
from companion.memory.changes import NOTHING
from companion.memory.extract import why_not_kept
from companion.memory.facts import Fact, Kind, fact_read, fact_row
from companion.memory.kept import (
    MOST,
    current_of,
    fact_of,
    given_way,
    has_room,
    held,
    last_said,
    put_beside,
    replaced_by,
    row_close,
    spoken_last,
    told_together,
    vector_read,
    vectors_of,
)
from companion.memory.lexicon import sentence
from companion.memory.models import Memory, MemoryState
from companion.memory.ranking import ENGLISH_ONLY, WORDS_SHARE, Index
from companion.memory.reconcile import (
    about,
    bounded,
    counts,
    ended,
    ends_on,
    fell,
    is_again,
    is_others,
    known_plan,
    relation,
)
from companion.memory.summaries import (
    summaries_forget,
    summaries_forget_all,
    summaries_of,
    summaries_restore,
    summary_count,
    summary_taken,
)
from companion.memory.understood import Understood, plan_moved, understood
from companion.types import Language, Recalled

LONGEST_CORRECTION = 80
TALKS_TAKEN = 2  # summaries that are given back with a memory: what takes them along has the room of a cookie
GONE = "memory"
Pair = tuple[Memory, Fact]
_LOOK_FIRST: dict[Kind, float] = {
    "name": 0.06, "pet": 0.04, "like": 0.04, "favourite": 0.04, "person": 0.03, "plan": 0.03, "does": 0.03,
    "win": 0.02, "dislike": 0.02, "feeling": 0.02, "joke": 0.02, "from": 0.01, "year": 0.01, "boundary": 0.0,
}  # fmt: skip


class MemoryNotFound(Exception):
    """There is no such memory of this person."""


class BadCorrection(ValueError):
    """Empty, or longer than a memory may be."""


class NeverKept(BadCorrection):
    """`reason`: private for the classes that are never remembered (health, faith, who one likes, places, secrets, ...),
    planted for words that bid the program something."""

    def __init__(self, reason: Literal["private", "planted"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class MemoryView:
    """A memory as its owner sees it. `text` is the sentence; `value`, `who` and `day` are what it is made of."""

    id: uuid.UUID
    kind: Kind
    text: str
    value: str
    who: str
    day: date | None
    since: datetime
    last: datetime
    until: datetime | None
    source: uuid.UUID | None
    state: str


def _view(row: Memory, fact: Fact, language: Language, at: datetime | None = None) -> MemoryView:
    until = row.until
    end = ends_on(fact, last_said(row).date())
    if until is None and at is not None and end is not None and end < at.date():
        until = datetime.combine(end, time(), tzinfo=at.tzinfo)
    return MemoryView(
        id=row.id, kind=fact.kind, text=sentence(fact, language, None if at is None else at.date()), value=fact.value,
        who=fact.who, day=fact.day, since=row.since, last=last_said(row), until=until, source=row.source,
        state=row.state,
    )  # fmt: skip


def memory_learn(
    *, owner_id: uuid.UUID, text: str, language: Language, said_at: datetime, source: uuid.UUID | None
) -> list[MemoryView]:
    """Keep what the message says plainly. Saying it again strengthens it; something newer closes the old. `said_at`: in
    the person's own time, from which their days are counted."""
    told = memory_understand(text, language, said_at)
    return memory_keep(told, owner_id=owner_id, language=language, said_at=said_at, source=source)


def memory_understand(text: str, language: Language, said_at: datetime | None = None) -> Understood:
    """The slow half of learning: reads and writes nothing. `said_at`: in the person's own time."""
    return understood(text, language, said_at)


def memory_keep(
    told: Understood, *, owner_id: uuid.UUID, language: Language, said_at: datetime, source: uuid.UUID | None
) -> list[MemoryView]:
    """The other half: put it beside what is known. One at a time for a person, or the same thing would stand twice."""
    added: list[MemoryView] = []
    if not (told.facts or told.over or told.moved or told.perhaps or told.perhaps_over or told.changes != NOTHING):
        return added
    with transaction.atomic():
        hold(held(owner_id))
        rows = Memory.objects.filter(owner_id=owner_id, state=MemoryState.CURRENT)
        known = [(row, fact_of(row)) for row in rows.order_by("id")]
        facts, today = [fact for _, fact in known], said_at.date()
        half = [
            (known_plan(fact, facts, language, today), vector)
            for fact, vector in told.perhaps
            if counts(fact, facts, told.words, language, today)
        ]
        given = given_way(told.instead, known, language)
        over = (*told.over, *told.perhaps_over)
        off = spoken_last(known, today) if told.changes.called_off else None
        for row, fact in known:
            again = any(is_again(one, fact) for one, _ in told.facts) or (fact.kind == "plan" and told.moved)
            if row is off or ended(over, fact) or (fell(told.changes.over, fact) and not again):
                row_close(row, said_at)
        moved = plan_moved(told, (*told.facts, *half), known, today)
        sure = [pair for pair in (*told.facts, *moved) if not is_others(pair[0], facts)]
        # What is known first: "me and Priya drifted, Hana's my best friend now" is about Hana.
        sure.sort(key=lambda pair: not any(relation(pair[0], old, language, today) == "same" for old in facts))
        new = [(fact, vector) for _, fact, vector in given if not any(is_again(fact, one) for one, _ in sure)]
        for fact, vector in (*sure, *half, *new):
            row = Memory(id=new_id(), owner_id=owner_id, source=source, since=said_at, vector=vector)
            known = [pair for pair in known if pair[0].state == MemoryState.CURRENT]
            here = {view.id for view in added}
            beside = [pair for pair in known if not told_together(fact, pair, here)]
            kept = put_beside(beside, row, fact, language)
            # What took the place of something has its place, however much is known.
            replaces = any(pair[0].state == MemoryState.CLOSED for pair in known)
            if kept is not None and (replaces or has_room(known, said_at, MOST)):
                row.fact = fact_row(kept)
                row.save(force_insert=True)
                known.append((row, kept))
                added.append(_view(row, kept, language))
        for old, fact, _ in given:
            by = next((row for row, one in known if row is not old and is_again(fact, one)), None)
            if by is not None and old.state == MemoryState.CURRENT:
                row_close(old, said_at, by=by.id)
    return added


def memory_recall(
    *, owner_id: uuid.UUID, text: str, vector: tuple[float, ...] | None, language: Language, limit: int = 6,
    today: date | None = None,
) -> tuple[Recalled, ...]:  # fmt: skip
    """What fits this message, best first: the one ranking, then kind, and how new it is. Nothing that the person asked
    to leave alone; what they asked for comes last, so that whoever answers knows it."""
    today = today or clock.now().date()
    known = current_of(owner_id, today)
    limits = [(row, fact) for row, fact in known if fact.kind == "boundary"]
    pairs = [pair for pair in known if pair not in limits and not bounded(pair[1], [fact for _, fact in limits])]
    asked = None if vector is None else np.array(vector, dtype=np.float32)
    scored: list[tuple[float, Memory, Fact]] = []
    if pairs:
        index = Index(
            [sentence(fact, language) for _, fact in pairs],
            [vector_read(row.vector) for row, _ in pairs],
            words_share=WORDS_SHARE if language == "en" else ENGLISH_ONLY,
        )
        for found in index.rank(text, asked, limit=len(pairs)):
            row, fact = pairs[found.place]
            # What the message is about decides; kind and newness order what it says nothing about.
            first = _LOOK_FIRST[fact.kind] + 0.02 * (found.place + 1) / len(pairs)
            scored.append((found.score + first, row, fact))
        scored.sort(key=lambda item: -item[0])
    best = [*scored[:limit], *((0.0, row, fact) for row, fact in limits)]
    return tuple(
        Recalled(
            id=str(row.id),
            kind=fact.kind,
            text=sentence(fact, language, today),
            slots=_slots(fact),
            score=min(1.0, score),
            since=row.since.date().isoformat(),
        )
        for score, row, fact in best
    )


def _slots(fact: Fact) -> dict[str, str]:
    """What a line may use. A favourite is also something liked; a plan has its day, so that what is past is known."""
    slots: dict[str, str] = {fact.kind: fact.value} if fact.value else {}
    if fact.kind == "favourite":
        slots |= {"like": fact.value}
    return slots if fact.day is None else {**slots, "day": fact.day.isoformat()}


def memory_name(*, owner_id: uuid.UUID) -> str | None:
    """What the person wants to be called, if they said so."""
    known = current_of(owner_id, clock.now().date())
    return next((fact.value for _, fact in known if fact.kind == "name"), None)


def memory_list(*, owner_id: uuid.UUID, language: Language, at: datetime | None = None) -> list[MemoryView]:
    """Everything remembered, closed things too, the newest first. `at`: now, in the person's own time: by their day a
    plan is past."""
    rows = Memory.objects.filter(owner_id=owner_id).order_by("-id")
    at = at or clock.now().astimezone(UTC)
    return [_view(row, fact_of(row), language, at) for row in rows]


def memory_told(*, owner_id: uuid.UUID, source: uuid.UUID, language: Language, at: datetime) -> list[MemoryView]:
    """What one message added and still holds, in its order. `at`: as in `memory_list`."""
    known = memory_list(owner_id=owner_id, language=language, at=at)
    return [one for one in reversed(known) if one.source == source and one.state == MemoryState.CURRENT]


def memory_correct(*, owner_id: uuid.UUID, memory_id: uuid.UUID, value: str, language: Language = "en") -> None:
    """Put the owner's own words in the place of what was understood. Raises MemoryNotFound, BadCorrection, NeverKept.

    Personal data and danger are for the caller to look for: the safety layer is no part of the mind.
    """
    value = " ".join(value.split())
    if not value or len(value) > LONGEST_CORRECTION:
        raise BadCorrection
    fact = replace(fact_of(_one(owner_id, memory_id)), value=value)
    reason = why_not_kept(fact, language)
    if reason is not None:
        raise NeverKept(reason)
    vector = vectors_of([sentence(fact, language)])[0]
    with transaction.atomic():
        hold(held(owner_id))
        row = _one(owner_id, memory_id)
        row.fact = {**row.fact, "value": value}
        row.vector = vector
        row.save(update_fields=["fact", "vector"])


def _one(owner_id: uuid.UUID, memory_id: uuid.UUID) -> Memory:
    row = Memory.objects.filter(owner_id=owner_id, id=memory_id).first()
    if row is None:
        raise MemoryNotFound
    return row


def memory_taken(*, owner_id: uuid.UUID, memory_id: uuid.UUID) -> dict[str, Any]:
    """A memory as it may be given back to `memory_restore`, with talks that go with it, for whoever keeps it that long.
    Raises MemoryNotFound."""
    row = _one(owner_id, memory_id)
    source = None if row.source is None else str(row.source)
    until = None if row.until is None else row.until.isoformat()
    talks = [summary_taken(one) for one in summaries_of(owner_id, **_told([row]))][-TALKS_TAKEN:]
    return {
        "fact": row.fact, "since": row.since.isoformat(), "until": until, "source": source, "state": row.state,
        "talks": talks,
    }  # fmt: skip


def memory_restore(*, owner_id: uuid.UUID, taken: Mapping[str, Any], language: Language) -> None:
    """Put back what was forgotten a moment ago: a memory, talks, or both; nothing where the same is known again."""
    fact = fact_read(taken["fact"]) if "fact" in taken else None
    vector = None if fact is None else vectors_of([sentence(fact, language)])[0]
    with transaction.atomic():
        hold(held(owner_id))
        summaries_restore(owner_id, taken.get("talks", ()))
        rows = Memory.objects.filter(owner_id=owner_id, state=taken.get("state", ""))
        if fact is None or any(fact_of(row).same_thing(fact) for row in rows):
            return
        row = Memory(id=new_id(), owner_id=owner_id, fact=taken["fact"], vector=vector, state=taken["state"])
        row.since = datetime.fromisoformat(taken["since"])
        row.until = None if taken["until"] is None else datetime.fromisoformat(taken["until"])
        row.source = None if taken["source"] is None else uuid.UUID(taken["source"])
        row.save(force_insert=True)


def memory_forget(*, owner_id: uuid.UUID, memory_id: uuid.UUID) -> None:
    """Delete one memory, and what it had replaced. Raises MemoryNotFound."""
    with transaction.atomic():
        hold(held(owner_id))
        row = _one(owner_id, memory_id)
        closed = list(Memory.objects.filter(owner_id=owner_id, state=MemoryState.CLOSED))
        _rows_forget(owner_id, [row, *replaced_by(row, closed)])


def _rows_forget(owner_id: uuid.UUID, rows: Sequence[Memory]) -> int:
    """Delete these for good: a backup does not bring them back, and a copy that was made of them goes too, as does each
    summary of a talk that was made of what told them, or names them. How many memories."""
    ids = list({row.id for row in rows})
    summaries_forget(owner_id, **_told(rows))
    if ids:
        gone_note(GONE, ids)
        copies_drop(owner_id)
    return Memory.objects.filter(id__in=ids).delete()[0]


def _told(rows: Sequence[Memory]) -> dict[str, Any]:
    """What told these, and what they are about."""
    facts = [fact_of(row) for row in rows]
    sources = [row.source for row in rows if row.source is not None]
    return {"sources": sources, "topics": [fact.value or fact.who for fact in facts]}


def memory_forget_about(*, owner_id: uuid.UUID, topic: str) -> int:
    """Delete everything about a person or a thing, what was closed too. Number of memories and talks deleted."""
    with transaction.atomic():
        hold(held(owner_id))
        rows = list(Memory.objects.filter(owner_id=owner_id)) if topic.strip() else []
        closed = [row for row in rows if row.state == MemoryState.CLOSED]
        meant = about(topic, [fact_of(row) for row in rows])
        found = [row for row in rows if fact_of(row) in meant]
        talks = summaries_forget(owner_id, topics=[topic] if topic.strip() else [])
        return talks + _rows_forget(owner_id, [one for row in found for one in (row, *replaced_by(row, closed))])


def memory_forget_said(*, owner_id: uuid.UUID, source: uuid.UUID) -> int:
    """Delete what one message told. Number of memories and talks deleted, what those had replaced not counted."""
    with transaction.atomic():
        hold(held(owner_id))
        rows = list(Memory.objects.filter(owner_id=owner_id))
        closed = [row for row in rows if row.state == MemoryState.CLOSED]
        told = [row for row in rows if row.source == source]
        talks = summaries_forget(owner_id, sources=[source])
        _rows_forget(owner_id, [one for row in told for one in (row, *replaced_by(row, closed))])
    return talks + len(told)


def memory_close(*, owner_id: uuid.UUID, memory_id: uuid.UUID, at: datetime) -> None:
    """It holds no longer; it stays as history. Raises MemoryNotFound."""
    with transaction.atomic():
        hold(held(owner_id))
        row_close(_one(owner_id, memory_id), at)


def memory_forget_all(*, owner_id: uuid.UUID) -> int:
    """Delete everything remembered about the person; opens none of it. Number of memories and talks deleted."""
    with transaction.atomic():
        hold(held(owner_id))
        ids = list(Memory.objects.filter(owner_id=owner_id).values_list("id", flat=True))
        if ids:
            gone_note(GONE, ids)
            copies_drop(owner_id)
        return summaries_forget_all(owner_id) + Memory.objects.filter(id__in=ids).delete()[0]


def memory_count(*, owner_id: uuid.UUID) -> int:
    """How many things are remembered, closed ones and talks too. Opens none of them."""
    return Memory.objects.filter(owner_id=owner_id).count() + summary_count(owner_id)


def memories_forget_again(ids: Collection[uuid.UUID]) -> int:
    """Delete those of these that are back, out of a backup. How many."""
    return Memory.objects.filter(id__in=ids).delete()[0]


def person_forget(owner_id: uuid.UUID) -> None:
    """Delete everything about the person (erasure). It is the person who is noted as gone for good."""
    with transaction.atomic():
        hold(held(owner_id))
        Memory.objects.filter(owner_id=owner_id).delete()
