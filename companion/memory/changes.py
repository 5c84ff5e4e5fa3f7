"""What a message changes of what is known, by patterns alone: what is over, moved, or gave way to another. Pure.

All of it counts only beside what is known (`reconcile`), so that a pattern may be as wide as people talk. What asks,
may only be, or is about somebody else's, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

import re2

from companion.memory.dates import When, times_in
from companion.memory.extract import Part, is_keepable, parts_of, trimmed
from companion.memory.facts import Fact, Kind
from companion.memory.lexicon import lexicon
from companion.memory.text import flat
from companion.types import Language

# Between two days: from the one to the other.
_TO = re2.compile(r"^\W*(?:to|till?|until|pr[ao]|para(?: [oael]+)?|al?|pal|au|->)\W*$")


@dataclass(frozen=True)
class Instead:
    """What was, in the words of the message, and what is in its place."""

    old: str
    value: str


@dataclass(frozen=True)
class Over:
    """What ended, if it is of these kinds. all: it is named somewhere in these words."""

    kinds: tuple[Kind, ...]
    value: str
    all: bool = False


@dataclass(frozen=True)
class Changes:
    """called_off: the plan that was spoken of last is. plans: on their new days.
    moved: new days of the plan that was spoken of last, and `it` what says so."""

    over: tuple[Over, ...] = ()
    called_off: bool = False
    plans: tuple[Fact, ...] = ()
    moved: tuple[date, ...] = ()
    it: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()


NOTHING: Final = Changes()


def changes_in(text: str, language: Language, today: date | None) -> Changes:
    """text: NFC. today: the day on which it was said; without it nothing moves."""
    words, found = lexicon(language), list[Changes]()
    for start, end, asks in parts_of(text, language):
        said = text[start:end]
        part = Part(said, flat(said), times_in(said, today, language), language)
        if asks or words.unsure.search(part.bare):
            continue
        plans, moved, it = _moved(part)
        over, off = tuple(_over(part)), bool(words.called_off.search(part.bare))
        found.append(Changes(over, off, plans, moved, it, tuple(_instead(part))))
    moves = any(each.plans or each.moved for each in found)  # "rained off, it's on sunday now" is not off
    return Changes(
        over=tuple(one for each in found for one in each.over if not (moves and "plan" in one.kinds)),
        called_off=not moves and any(each.called_off for each in found),
        plans=tuple(one for each in found for one in each.plans),
        moved=tuple(one for each in found for one in each.moved),
        it=tuple(one for each in found for one in each.it),
        instead=tuple(one for each in found for one in each.instead),
    )


def _over(part: Part) -> Iterator[Over]:
    for ending in lexicon(part.language).over:
        match = ending.pattern.search(part.bare)
        if match is not None and not _is_others(part, match):
            value = match.group("value") if ending.all else _value(part, match)
            if len(value) > 1 and not lexicon(part.language).others.search(flat(value)):
                yield Over(ending.kinds, value, ending.all)


def _moved(part: Part) -> tuple[tuple[Fact, ...], tuple[date, ...], tuple[str, ...]]:
    words, plans, moved, it = lexicon(part.language), list[Fact](), list[date](), list[str]()
    for number, time in enumerate(part.times):
        before, day = part.bare[: time.start], _last_of(part, part.times[number:])
        if day is None:
            continue
        cue = words.moved_it.search(before)
        match = None if cue else next((match for pattern in words.moved if (match := pattern.search(before))), None)
        if match is not None and not _is_others(part, match):
            fact = Fact("plan", _value(part, match), "", day)
            own = not words.others.search(flat(fact.value))
            if own and len(fact.value) > 1 and is_keepable(fact, part.text, part.language):
                plans.append(fact)
        if cue is not None and not words.others.search(before):
            moved.append(day)
            it.append(before)
    return tuple(plans), tuple(moved), tuple(it)


def _last_of(part: Part, times: Sequence[When]) -> date | None:
    """The day of the first, or where it is left for another ("from friday to monday") that one."""
    day = times[0].day
    for one, other in pairwise(times):
        if other.day is None or not _TO.search(part.bare[one.end : other.start]):
            break
        day = other.day
    return day


def _instead(part: Part) -> Iterator[Instead]:
    for pattern in lexicon(part.language).instead:
        match = pattern.search(part.bare)
        if match is not None:
            old, value = (_value(part, match, name) for name in ("old", "value"))
            if len(old) > 1 and len(value) > 1:
                yield Instead(old, value)


def _value(part: Part, match: Any, name: str = "value") -> str:
    numbers = match.re.groupindex
    place = match.span(numbers[name])
    if place[0] < 0:  # the pattern's other way to say it
        place = match.span(numbers["who"])
    start, end = trimmed("plan", place, part)
    return part.text[start:end]


def _is_others(part: Part, match: Any) -> bool:
    """Whether it says before the value that it is somebody else's."""
    start = match.span(match.re.groupindex["value"])[0]
    return bool(lexicon(part.language).others.search(part.bare[: max(start, 0)]))


def is_others(text: str, place: int, language: Language) -> bool:
    """Whether the part of a text says before the place that what stands there is somebody else's: "for my cousin the
    test is moved"."""
    start = next((start for start, end, _ in parts_of(text, language) if start <= place < end), 0)
    return bool(lexicon(language).others.search(flat(text[start:place])))
