"""Extraction on written rows of each language: precision first, then recall, and nothing at all from the traps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import perf_counter

import pytest

from companion.memory.extract import facts_in
from companion.memory.text import fold
from companion.types import LANGUAGES, Language

ROWS = Path(__file__).parent / "memory_rows"
AT = datetime(2026, 11, 25, 16, tzinfo=UTC)  # a Wednesday
PRECISION, RECALL = 0.97, 0.95
_ARTICLE = re.compile(
    r"^(?:(?:a|an|the|my|our|o|os|as|um|uma|el|la|los|las|un|una|le|les|une|du|des|de|mi|mon|ma|mes|meu|minha)\s+"
    r"|[ld]')(?=\S)"
)

Item = tuple[str, str, str, str]


def _plain(text: str) -> str:
    return _ARTICLE.sub("", fold(text.strip()).replace("’", "'"))


@cache
def rows(language: Language) -> tuple[tuple[str, frozenset[Item]], ...]:
    """Each text with what it tells: kind, who, value, day."""
    read = []
    for line in (ROWS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        text, arrow, told = line.partition("=>")
        if not arrow or line.startswith("#"):
            continue
        items = set()
        for item in filter(None, (part.strip() for part in told.split(";"))):
            head, _, rest = item.partition(":")
            kind, _, who = head.partition("/")
            value, _, day = rest.partition("@")
            items.add((kind.strip(), _plain(who), _plain(value), day.strip()))
        read.append((text.strip(), frozenset(items)))
    return tuple(read)


def told(text: str, language: Language) -> frozenset[Item]:
    found = facts_in(text, language, AT)
    return frozenset(
        (fact.kind, _plain(fact.who), _plain(fact.value), fact.day.isoformat() if fact.day else "") for fact in found
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_learned_is_right_and_most_of_what_is_told(language: Language) -> None:
    right = wrong = missed = 0
    for text, items in rows(language):
        found = told(text, language)
        right, wrong, missed = right + len(found & items), wrong + len(found - items), missed + len(items - found)
    assert right / (right + wrong) >= PRECISION
    assert right / (right + missed) >= RECALL


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_learned_from_what_only_looks_like_it(language: Language) -> None:
    traps = [text for text, items in rows(language) if not items]
    assert len(traps) >= 45
    assert [text for text in traps if told(text, language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_rows_and_every_kind_is_among_them(language: Language) -> None:
    from companion.memory.facts import KINDS

    assert len(rows(language)) >= 150
    assert {item[0] for _, items in rows(language) for item in items} == set(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_message_is_read_in_reasonable_time(language: Language) -> None:
    text = " ".join(text for text, _ in rows(language))[:4000]
    facts_in(text, language, AT)  # and compiles
    before = perf_counter()
    facts_in(text, language, AT)
    assert perf_counter() - before < 2
