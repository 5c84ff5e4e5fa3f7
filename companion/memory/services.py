"""Learn, recall, answer, correct, forget. The only way to what is remembered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import re2
from django.db import transaction

from chatbot.core.ids import new_id
from companion.memory.extract import facts_in
from companion.memory.facts import KINDS, Asked, Fact, Kind, fold, lexicon, sentence
from companion.memory.models import Memory, MemoryState
from companion.types import Language, Recalled

LONGEST_CORRECTION = 80
MOST = 500
_WORD = re2.compile(r"[\p{L}\p{N}]{3,}")
_LOOK_FIRST: dict[Kind, float] = {"name": 0.3, "pet": 0.2, "like": 0.2, "person": 0.15, "plan": 0.15, "dislike": 0.1}


class MemoryNotFound(Exception):
    """There is no such memory of this person."""


class BadCorrection(ValueError):
    """Empty, or longer than a memory may be."""


@dataclass(frozen=True)
class MemoryView:
    """A memory as its owner sees it."""

    id: uuid.UUID
    kind: Kind
    text: str
    value: str
    since: datetime
    until: datetime | None
    source: uuid.UUID | None
    state: str


@dataclass(frozen=True)
class MemoryReply:
    """An answer out of memory, and the memories it used."""

    text: str
    used: tuple[uuid.UUID, ...] = ()


def _fact(row: Memory) -> Fact:
    stored = row.fact
    return Fact(stored["kind"], stored["value"], stored.get("who", ""))


def _current(owner_id: uuid.UUID) -> list[tuple[Memory, Fact]]:
    rows = Memory.objects.filter(owner_id=owner_id, state=MemoryState.CURRENT).order_by("id")
    return [(row, _fact(row)) for row in rows]


def _view(row: Memory, fact: Fact, language: Language) -> MemoryView:
    return MemoryView(
        row.id, fact.kind, sentence(fact, language), fact.value, row.since, row.until, row.source, row.state
    )


def memory_learn(
    *, owner_id: uuid.UUID, text: str, language: Language, said_at: datetime, source: uuid.UUID | None
) -> list[MemoryView]:
    """Keep what the message says plainly. Saying it again changes nothing; something newer closes the old."""
    added: list[MemoryView] = []
    with transaction.atomic():
        known = _current(owner_id)
        for fact in facts_in(text, language):
            if any(fact.same_thing(other) for _, other in known) or len(known) >= MOST:
                continue
            for row, other in known:
                if fact.replaces(other):
                    row.state, row.until = MemoryState.CLOSED, said_at
                    row.save(update_fields=["state", "until"])
            row = _store(owner_id, fact, since=said_at, source=source)
            known = [pair for pair in known if pair[0].state == MemoryState.CURRENT] + [(row, fact)]
            added.append(_view(row, fact, language))
    return added


def _store(owner_id: uuid.UUID, fact: Fact, *, since: datetime, source: uuid.UUID | None) -> Memory:
    row = Memory(
        id=new_id(),
        owner_id=owner_id,
        fact={"kind": fact.kind, "value": fact.value, "who": fact.who},
        source=source,
        since=since,
    )
    row.save(force_insert=True)
    return row


def memory_recall(
    *, owner_id: uuid.UUID, text: str, vector: tuple[float, ...] | None, language: Language, limit: int = 6
) -> tuple[Recalled, ...]:
    """What fits this message, best first. First version: shared words, kind, and how new it is."""
    asked = set(_WORD.findall(fold(text)))
    scored: list[tuple[float, Memory, Fact]] = []
    pairs = _current(owner_id)
    for place, (row, fact) in enumerate(pairs):
        words = set(_WORD.findall(fold(f"{fact.value} {fact.who}")))
        overlap = len(words & asked) / len(words) if words else 0.0
        scored.append((0.7 * overlap + _LOOK_FIRST[fact.kind] + 0.1 * (place + 1) / len(pairs), row, fact))
    scored.sort(key=lambda item: -item[0])
    return tuple(
        Recalled(
            id=str(row.id),
            kind=fact.kind,
            text=sentence(fact, language),
            slots={fact.kind: fact.value},
            score=min(1.0, score),
            since=row.since.date().isoformat(),
        )
        for score, row, fact in scored[:limit]
    )


def memory_name(*, owner_id: uuid.UUID) -> str | None:
    """What the person wants to be called, if they said so."""
    return next((fact.value for _, fact in _current(owner_id) if fact.kind == "name"), None)


def memory_reply(*, owner_id: uuid.UUID, text: str, language: Language, seed: int) -> MemoryReply | None:
    """Answer a question to memory, or do as asked and forget; None when the message is neither."""
    asked, who, value = _asked(text, language)
    if asked is None:
        return None
    known = _current(owner_id)
    if asked == "forget_all":
        memory_forget_all(owner_id=owner_id)
        return MemoryReply(_line("forgot_all", language, seed))
    if asked == "forget":
        return _forget_about(owner_id, known, value, language, seed)
    if asked == "everything":
        return _summary(known, language, seed)
    fitting = [
        (row, fact) for row, fact in known if fact.kind == asked and (not who or fold(fact.who) in ("", fold(who)))
    ]
    if not fitting:
        return MemoryReply(_line("unknown", language, seed))
    return MemoryReply(
        " ".join(sentence(fact, language) for _, fact in fitting[:4]), tuple(row.id for row, _ in fitting[:4])
    )


def _asked(text: str, language: Language) -> tuple[Asked | None, str, str]:
    for about, pattern in lexicon(language).ask:
        match = pattern.search(text)
        if match is not None:
            groups = match.groupdict()
            return about, groups.get("who") or "", (groups.get("value") or "").strip(" .!?")
    return None, "", ""


def _line(name: str, language: Language, seed: int) -> str:
    lines = lexicon(language).words.answers[name]
    return lines[seed % len(lines)]


def _summary(known: list[tuple[Memory, Fact]], language: Language, seed: int) -> MemoryReply:
    if not known:
        return MemoryReply(_line("nothing_yet", language, seed))
    ordered = sorted(known, key=lambda pair: KINDS.index(pair[1].kind))[:7]
    said = " ".join(sentence(fact, language) for _, fact in ordered)
    return MemoryReply(
        f"{_line('summary', language, seed)} {said} {_line('summary_end', language, seed)}",
        tuple(row.id for row, _ in ordered),
    )


def _forget_about(
    owner_id: uuid.UUID, known: list[tuple[Memory, Fact]], value: str, language: Language, seed: int
) -> MemoryReply:
    wanted = set(_WORD.findall(fold(value)))
    if wanted:
        fitting = [row for row, fact in known if wanted & set(_WORD.findall(fold(f"{fact.value} {fact.who}")))]
    else:
        fitting = [row for row, _ in known[-1:]]
    if not fitting:
        return MemoryReply(_line("nothing_to_forget", language, seed))
    for row in fitting:
        memory_forget(owner_id=owner_id, memory_id=row.id)
    return MemoryReply(_line("forgot", language, seed))


def memory_list(*, owner_id: uuid.UUID, language: Language) -> list[MemoryView]:
    """Everything remembered, closed things too, the newest first."""
    rows = Memory.objects.filter(owner_id=owner_id).order_by("-id")
    return [_view(row, _fact(row), language) for row in rows]


def memory_correct(*, owner_id: uuid.UUID, memory_id: uuid.UUID, value: str) -> None:
    """Put the owner's own words in the place of what was understood. Raises MemoryNotFound, BadCorrection."""
    value = " ".join(value.split())
    if not value or len(value) > LONGEST_CORRECTION:
        raise BadCorrection
    row = Memory.objects.filter(owner_id=owner_id, id=memory_id).first()
    if row is None:
        raise MemoryNotFound
    row.fact = {**row.fact, "value": value}
    row.save(update_fields=["fact"])


def memory_forget(*, owner_id: uuid.UUID, memory_id: uuid.UUID) -> None:
    """Delete one memory, and what it had replaced. Raises MemoryNotFound."""
    row = Memory.objects.filter(owner_id=owner_id, id=memory_id).first()
    if row is None:
        raise MemoryNotFound
    fact = _fact(row)
    for other in Memory.objects.filter(owner_id=owner_id, state=MemoryState.CLOSED):
        if fact.replaces(_fact(other)):
            other.delete()
    row.delete()


def memory_forget_all(*, owner_id: uuid.UUID) -> int:
    """Delete everything remembered about the person. Number of memories deleted."""
    deleted, _ = Memory.objects.filter(owner_id=owner_id).delete()
    return deleted
