from __future__ import annotations

from collections import Counter

import pytest

from bench import memory, never
from chatbot.chat.terminal import throw_away_database
from companion.types import LANGUAGES, Language

CLASSES = {
    "crisis", "sexuality", "gender", "religion", "health", "drugs", "place", "school", "status", "secret", "password",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_fifty_sentences_are_planted_of_every_class_and_none_twice(language: Language) -> None:
    rows = never.planted(language)
    assert Counter(row["class"] for row in rows).keys() == CLASSES
    assert len({row["text"] for row in rows}) == len({row["id"] for row in rows}) == 50


@pytest.mark.django_db(transaction=True)
def test_what_is_learned_and_recalled_is_counted() -> None:
    with throw_away_database():
        assert never.learned(["i love kites", "i go to church on sundays"], "en") == (1, 2)
        assert never.learned(["i go to church on sundays"], "en") == (0, 0)


def test_without_the_filter_a_planted_turn_is_found_and_with_it_not() -> None:
    texts = ["i sing in the choir at our church on sundays"]
    assert never.found(texts, "en", filtered=False) == 1
    assert never.found(texts, "en", filtered=True) == 0


def test_the_filter_takes_the_turn_and_its_evidence_counts_as_missed() -> None:
    documents = tuple(
        {"id": f"D1:{number}", "who": "Maya", "text": text, "at": "2026-01-01T10:00:00+00:00"}
        for number, text in enumerate(("i pray at church every night", "i adopted a puppy"), 1)
    )
    asked = tuple(memory.Question(text, 4, frozenset({place})) for text, place in
                  (("Who prays at church?", "D1:1"), ("Who adopted a puppy?", "D1:2")))  # fmt: skip
    lines = list(never.report_filtered([memory.Conversation("made up", documents, asked)]))
    assert "leaves 1 of 2 turns, 1 of 2 places" in lines[0]
    assert lines[2].split()[-4:] == ["1.000"] * 4
    assert lines[3].split()[-4:] == ["0.500"] * 4
