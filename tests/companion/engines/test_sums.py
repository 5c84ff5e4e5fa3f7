"""Sums that are asked for, and what only looks like one."""

from __future__ import annotations

import asyncio

import pytest

from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.sums import answer_of
from companion.types import LANGUAGES, Language, Prompt


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "whats 7 times 8", "56"),
        ("en", "not that, its homework. ok what is 12 + 30?", "42"),
        ("en", "What's 10/4", "2.5"),
        ("en", "how much is 3 minus 5", "-2"),
        ("en", "what is 999999 x 999999", "999998000001"),
        ("pt-BR", "ta, quanto é 17 vezes 3", "51"),
        ("pt-BR", "quanto é 7 dividido por 2?", "3,5"),
        ("es", "¿cuánto es 9 por 6?", "54"),
        ("fr", "combien font 12 fois 12 ?", "144"),
    ],
)
def test_a_sum_that_is_asked_for_is_known(language: Language, text: str, answer: str) -> None:
    assert answer_of(text, language) == answer


@pytest.mark.parametrize(
    "text",
    [
        "we lost 3-1",
        "10/10 would nap again",
        "what is 5 divided by 0",
        "what's 1/3",
        "what is 1234567 x 2",
        "what is 2 x 3 x 4",
        "what's 24/7 support like",
        "what is x 7",
        "9" * 20_000,
        "what is " + "9" * 20_000 + " x 2",
        "",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert all(answer_of(text, language) is None for language in LANGUAGES)


@pytest.mark.parametrize(("language", "text"), [("en", "whats 7 times 8"), ("pt-BR", "quanto é 7 vezes 8?")])
def test_the_companion_says_it(language: Language, text: str) -> None:
    prompt = Prompt(text=text, language=language, band="13-15", history=(), seed=3)
    reply = asyncio.run(EmbeddedEngine(letters_only=True).reply(prompt))
    assert "56" in reply.chosen[0].text
