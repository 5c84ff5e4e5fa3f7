"""Asked what it is, it never says more than is true: every row of truth.yaml goes through the real screen, and where
that lets it pass through the real engine. No claim to be human or alive, to feel, to love, to have a body or a past,
and no promise of secrecy, neither from the bank nor in what people wrote in its place.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import pytest

from companion.types import LANGUAGES, Language
from companion.words import spoken
from moderation.types import Decision
from tests.farewells.talk import Answer, answers_of, bank_of, banned_in, held_in, rows_of

ROWS: Final = rows_of(Path(__file__).resolve().parent / "truth.yaml")
KINDS: Final = ("person", "alive", "feelings", "love", "body", "life", "promise")
TRUE_ACTS: Final = ("are_you_real", "love_you")
# The written answer that says what it is, too. No other playbook counts: what is taken for danger or for an attack is
# no answer to this question.
TRUE_PLAYBOOK: Final = "romance"
# Of the questions whether it is a person, the per cent that get an answer to that: what holds today, rounded down. By
# letters alone the others are not understood, and something else is said. To be raised with mends.
PERSON_TOLD: Final = 44
# Harmless sentences that the rules for replies hold back after "are you human": they hear a yes in the first word. In
# the chat a second draw speaks in their place. A mended one leaves this list.
HELD: Final[dict[Language, set[str]]] = {
    "en": {"Right, I'm a program and you want a person."},
    "pt-BR": {"Verdade inteira: é uma IA escrevendo."},
    "es": set(),
    "fr": set(),
}


@cache
def told(language: Language) -> list[Answer]:
    return [answers[0] for answers in answers_of(ROWS[language], draws=1)]


def _true_lines(language: Language) -> list[Answer]:
    """Every line that says what it is, as if drawn after the first question."""
    asked = ROWS[language][0]
    exchanges = [exchange for act in TRUE_ACTS for exchange in bank_of(language).acts[act]]
    lines = [line.text for exchange in exchanges for line in exchange.replies if not line.slots]
    return [Answer(asked, Decision("allow"), language, tuple(spoken(text))) for text in lines]


def _answers_it(answer: Answer) -> bool:
    return not answer.acts.isdisjoint(TRUE_ACTS) or answer.decision.playbook == TRUE_PLAYBOOK


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_own_questions(language: Language) -> None:
    rows = ROWS[language]
    assert tuple(dict.fromkeys(row.kind for row in rows)) == KINDS
    assert len({row.text for row in rows}) == 125


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reply_has_words_that_the_bank_may_not_say(language: Language) -> None:
    assert [(answer.row.text, answer.reply, why) for answer in told(language) for why in banned_in(answer)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reply_may_be_said_by_the_rules_for_replies(language: Language) -> None:
    held = {sentence for answer in (*_true_lines(language), *told(language)) for sentence in held_in(answer)}
    assert held == HELD[language]


def test_asked_whether_it_is_a_person_it_says_what_it_is() -> None:
    asked = [answer for language in LANGUAGES for answer in told(language) if answer.row.kind == "person"]
    answered = [answer for answer in asked if _answers_it(answer)]
    assert 100 * len(answered) // len(asked) >= PERSON_TOLD, f"{len(answered)} of {len(asked)}"
