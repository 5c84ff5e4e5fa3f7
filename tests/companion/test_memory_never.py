"""6.5: of 200 planted sentences of what is never kept none teaches anything (rules were widened beside them; another
200 are the bench's). And the rules that came of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from companion.memory.reading import read
from companion.types import LANGUAGES, Language

ROWS = Path(__file__).parent / "memory_never"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_what_is_never_kept_nothing_is_learned(language: Language) -> None:
    rows = [json.loads(line) for line in (ROWS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 50
    learned = [(row["text"], facts) for row in rows if (facts := read(row["text"], language, AT).facts)]
    assert learned == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "i like dylan"), ("en", "i really love Emma"), ("en", "my favourite person is Jo"),
        ("en", "i love getting high"), ("pt-BR", "gosto do Caio"), ("pt-BR", "minha pessoa favorita é a Bia"),
        ("es", "me gusta Mateo"), ("es", "mi persona favorita es Lucía"), ("fr", "j'aime Léa"),
        ("fr", "ma personne préférée c'est Hugo"),
    ],
)  # fmt: skip
def test_whom_somebody_likes_is_not_kept(language: Language, text: str) -> None:
    assert read(text, language, AT).facts == ()


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "i love high school musical", "high school musical"), ("en", "my favourite singer is Adele", "Adele"),
        ("en", "i like Emma Watson films", "Emma Watson films"), ("en", "my friend Leo plays chess", "Leo"),
        ("en", "i hate the high jump", "high jump"), ("pt-BR", "minha cantora favorita é a Anitta", "Anitta"),
        ("es", "mi mejor amiga se llama Lucía", "Lucía"), ("fr", "mon meilleur ami s'appelle Hugo", "Hugo"),
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_still_learned(language: Language, text: str, value: str) -> None:
    assert any(value in fact.value for fact in read(text, language, AT).facts)
