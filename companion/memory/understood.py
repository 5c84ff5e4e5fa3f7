"""What a message tells, each thing with its place by sense: all of learning that nobody's memory is needed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from companion.memory.changes import NOTHING, Changes, Instead
from companion.memory.facts import Fact
from companion.memory.kept import Pair, fact_of, spoken_last, vectors_of
from companion.memory.lexicon import sentence
from companion.memory.models import MemoryState
from companion.memory.reading import read
from companion.memory.reconcile import words_of
from companion.types import Language

Placed = tuple[Fact, str | None]  # with its place by sense, as it is stored


@dataclass(frozen=True)
class Understood:
    """What a message tells; what is over, and the new day of a plan that it doesn't name. perhaps, perhaps_over: what
    counts only where it changes something known, as each new day does, and as `changes` do. words: those that make a
    difference. instead: what gave way to what, with the place by sense of what it gave way to."""

    facts: tuple[Placed, ...] = ()
    over: tuple[str, ...] = ()
    moved: tuple[date, ...] = ()
    perhaps: tuple[Placed, ...] = ()
    perhaps_over: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    changes: Changes = NOTHING
    instead: tuple[tuple[Instead, str | None], ...] = ()


def understood(text: str, language: Language, said_at: datetime | None) -> Understood:
    told = read(text, language, said_at)
    facts = (*told.facts, *told.perhaps, *told.changes.plans)
    given = told.changes.instead
    # All at once: the encoder takes as long for one.
    vectors = _places([*(sentence(fact, language) for fact in facts), *(one.value for one in given)])
    placed = tuple(zip(facts, vectors, strict=False))
    sure, half = placed[: len(told.facts)], placed[len(told.facts) :]
    return Understood(
        facts=sure, over=told.over, moved=told.moved or told.changes.moved or told.perhaps_moved, perhaps=half,
        perhaps_over=told.perhaps_over, words=frozenset(words_of(text)), changes=told.changes,
        instead=tuple(zip(given, vectors[len(facts) :], strict=True)),
    )  # fmt: skip


def _places(texts: list[str]) -> list[str | None]:
    return vectors_of(texts) if texts else []


def plan_moved(told: Understood, plans: Sequence[Placed], known: Sequence[Pair], today: date) -> tuple[Placed, ...]:
    """The plan that was spoken of last, on its new day, where the message names none itself. plans: what it names."""
    if not told.moved or any(fact.kind == "plan" for fact, _ in plans):
        return ()
    row = spoken_last([pair for pair in known if pair[0].state == MemoryState.CURRENT], today)
    return () if row is None else ((replace(fact_of(row), day=told.moved[-1]), row.vector),)
