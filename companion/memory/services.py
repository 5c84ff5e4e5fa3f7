"""Learn, recall, answer, correct, forget. The only way to what is remembered."""

from __future__ import annotations

import base64
import logging
import unicodedata
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import re2
from django.db import transaction

from chatbot.core.encoder import EncoderError, encode
from chatbot.core.encoder.values import Floats
from chatbot.core.ids import new_id
from chatbot.core.locks import hold
from companion.memory.extract import facts_in, groups_of, may_be_kept
from companion.memory.facts import KINDS, Asked, Fact, Kind, flat, fold, lexicon, sentence
from companion.memory.models import Memory, MemoryState
from companion.memory.ranking import ENGLISH_ONLY, WORDS_SHARE, Index
from companion.types import Language, Recalled

log = logging.getLogger(__name__)

LONGEST_CORRECTION = 80
MOST = 500
_WORD = re2.compile(r"[\p{L}\p{N}]{3,}")
_LOOK_FIRST: dict[Kind, float] = {
    "name": 0.06, "pet": 0.04, "like": 0.04, "person": 0.03, "plan": 0.03, "dislike": 0.02,
}  # fmt: skip


class MemoryNotFound(Exception):
    """There is no such memory of this person."""


class BadCorrection(ValueError):
    """Empty, or longer than a memory may be."""


class NeverKept(BadCorrection):
    """Of the classes that are never remembered (health, faith, who one likes, places, secrets, ...)."""


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
    """An answer out of memory, and the memories it used. `forgot_all`: everything was forgotten with it."""

    text: str
    used: tuple[uuid.UUID, ...] = ()
    forgot_all: bool = False


@dataclass(frozen=True)
class Understood:
    """What a message says plainly, each fact with its place by sense as it is stored."""

    facts: tuple[tuple[Fact, str | None], ...] = ()


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
    told = memory_understand(text, language)
    return memory_keep(told, owner_id=owner_id, language=language, said_at=said_at, source=source)


def memory_understand(text: str, language: Language) -> Understood:
    """The slow half of learning: reads and writes nothing."""
    facts = facts_in(text, language)
    if not facts:
        return Understood()
    vectors = _vectors([sentence(fact, language) for fact in facts])
    return Understood(tuple(zip(facts, vectors, strict=True)))


def memory_keep(
    told: Understood, *, owner_id: uuid.UUID, language: Language, said_at: datetime, source: uuid.UUID | None
) -> list[MemoryView]:
    """The other half: put it beside what is known. One at a time for a person, or the same thing would stand twice."""
    added: list[MemoryView] = []
    if not told.facts:
        return added
    with transaction.atomic():
        hold(_held(owner_id))
        known = _current(owner_id)
        for fact, vector in told.facts:
            if any(fact.same_thing(other) for _, other in known) or len(known) >= MOST:
                continue
            for row, other in known:
                if fact.replaces(other):
                    row.state, row.until = MemoryState.CLOSED, said_at
                    row.save(update_fields=["state", "until"])
            row = Memory(id=new_id(), owner_id=owner_id, source=source, since=said_at)
            row.fact = {"kind": fact.kind, "value": fact.value, "who": fact.who}
            row.vector = vector
            row.save(force_insert=True)
            known = [pair for pair in known if pair[0].state == MemoryState.CURRENT] + [(row, fact)]
            added.append(_view(row, fact, language))
    return added


def _held(owner_id: uuid.UUID) -> str:
    return f"memory of {owner_id}"


def _vectors(texts: Sequence[str]) -> list[str | None]:
    """Each text's place by sense, as it is stored; None for all while the encoder is away (words still find them)."""
    try:
        found = encode(texts)
    except EncoderError as error:
        log.error("memory_without_vectors", extra={"reason": str(error)})
        return [None] * len(texts)
    return [base64.b64encode(one.array.astype(np.float16).tobytes()).decode("ascii") for one in found]


def _vector_read(stored: str | None) -> Floats | None:
    if stored is None:
        return None
    return np.frombuffer(base64.b64decode(stored), dtype=np.float16).astype(np.float32)


def memory_recall(
    *, owner_id: uuid.UUID, text: str, vector: tuple[float, ...] | None, language: Language, limit: int = 6
) -> tuple[Recalled, ...]:
    """What fits this message, best first: the one ranking, then kind, and how new it is."""
    pairs = _current(owner_id)
    if not pairs:
        return ()
    index = Index(
        [sentence(fact, language) for _, fact in pairs],
        [_vector_read(row.vector) for row, _ in pairs],
        words_share=WORDS_SHARE if language == "en" else ENGLISH_ONLY,
    )
    asked = None if vector is None else np.array(vector, dtype=np.float32)
    scored: list[tuple[float, Memory, Fact]] = []
    for found in index.rank(text, asked, limit=len(pairs)):
        row, fact = pairs[found.place]
        # What the message is about decides; kind and newness order what it says nothing about.
        first = _LOOK_FIRST[fact.kind] + 0.02 * (found.place + 1) / len(pairs)
        scored.append((found.score + first, row, fact))
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
        return MemoryReply(_line("forgot_all", language, seed), forgot_all=True)
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
    text = unicodedata.normalize("NFC", text)
    bare = flat(text)
    for about, pattern in lexicon(language).ask:
        match = pattern.search(bare)
        if match is not None:
            groups = groups_of(match, text)
            return about, groups.get("who", ""), groups.get("value", "").strip(" .!?")
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
        with suppress(MemoryNotFound):  # forgotten meanwhile
            memory_forget(owner_id=owner_id, memory_id=row.id)
    return MemoryReply(_line("forgot", language, seed))


def memory_list(*, owner_id: uuid.UUID, language: Language) -> list[MemoryView]:
    """Everything remembered, closed things too, the newest first."""
    rows = Memory.objects.filter(owner_id=owner_id).order_by("-id")
    return [_view(row, _fact(row), language) for row in rows]


def memory_correct(*, owner_id: uuid.UUID, memory_id: uuid.UUID, value: str, language: Language = "en") -> None:
    """Put the owner's own words in the place of what was understood. Raises MemoryNotFound, BadCorrection, NeverKept.

    Personal data and danger are for the caller to look for: the safety layer is no part of the mind.
    """
    value = " ".join(value.split())
    if not value or len(value) > LONGEST_CORRECTION:
        raise BadCorrection
    fact = _fact(_one(owner_id, memory_id))
    if not may_be_kept(value, language):
        raise NeverKept
    vector = _vectors([sentence(replace(fact, value=value), language)])[0]
    with transaction.atomic():
        hold(_held(owner_id))
        row = _one(owner_id, memory_id)
        row.fact = {**row.fact, "value": value}
        row.vector = vector
        row.save(update_fields=["fact", "vector"])


def _one(owner_id: uuid.UUID, memory_id: uuid.UUID) -> Memory:
    row = Memory.objects.filter(owner_id=owner_id, id=memory_id).first()
    if row is None:
        raise MemoryNotFound
    return row


def memory_forget(*, owner_id: uuid.UUID, memory_id: uuid.UUID) -> None:
    """Delete one memory, and what it had replaced. Raises MemoryNotFound."""
    with transaction.atomic():
        hold(_held(owner_id))
        row = _one(owner_id, memory_id)
        fact = _fact(row)
        for other in Memory.objects.filter(owner_id=owner_id, state=MemoryState.CLOSED):
            if fact.replaces(_fact(other)):
                other.delete()
        row.delete()


def memory_forget_all(*, owner_id: uuid.UUID) -> int:
    """Delete everything remembered about the person. Number of memories deleted."""
    with transaction.atomic():
        hold(_held(owner_id))
        deleted, _ = Memory.objects.filter(owner_id=owner_id).delete()
    return deleted


def person_forget(owner_id: uuid.UUID) -> None:
    """Delete everything about the person (erasure)."""
    memory_forget_all(owner_id=owner_id)
