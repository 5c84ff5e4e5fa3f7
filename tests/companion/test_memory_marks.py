"""A low mark is nobody's win: it hurts to hear it told back as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from companion.memory.reading import read
from companion.types import Language

AT = datetime(2026, 11, 25, 18, tzinfo=UTC)
LOW: list[tuple[Language, str]] = [
    ("en", "i got a 3 in physics"), ("en", "i got an F in maths today"), ("en", "got 20 percent in chem"),
    ("pt-BR", "hj tirei 4 em física"), ("pt-BR", "tirei zero em química"), ("pt-BR", "tirei 4.5 em mat"),
    ("es", "hoy saqué un 3 en mates"), ("es", "me saqué un 2 en historia"),
    ("fr", "aujourd'hui j'ai eu 3 en maths"), ("fr", "j'ai eu 6 sur 20 au contrôle"),
]  # fmt: skip
HIGH: list[tuple[Language, str]] = [
    ("en", "i got an A in maths"), ("en", "i got 95 percent in chem"), ("pt-BR", "tirei 9 em física"),
    ("pt-BR", "tirei 1º lugar no judô"), ("es", "saqué un 9 en mates"), ("fr", "j'ai eu 18 sur 20 au contrôle"),
]  # fmt: skip


def wins(text: str, language: Language) -> list[str]:
    told = read(text, language, AT)
    return [fact.value for fact in (*told.facts, *told.perhaps) if fact.kind == "win"]


@pytest.mark.parametrize(("language", "text"), LOW)
def test_a_low_mark_is_no_win(language: Language, text: str) -> None:
    assert wins(text, language) == []


@pytest.mark.parametrize(("language", "text"), HIGH)
def test_a_good_one_is(language: Language, text: str) -> None:
    assert wins(text, language)
