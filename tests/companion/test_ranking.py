from __future__ import annotations

import numpy as np
import pytest

from chatbot.core.encoder.values import Floats
from companion.memory.ranking import Index, terms_of

TEXTS = [
    "Your dog is called Bento.",
    "You like painting dinosaurs.",
    "You told me about a plan: a maths test on friday.",
    "Mushrooms aren't your thing.",
]


def place(query: str, texts: list[str] = TEXTS, **more: Floats) -> int:
    return Index(texts).rank(query, limit=1, **more)[0].place


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("bento ate my sock", 0),
        ("i painted a dinosaur today", 1),
        ("how do i survive the maths test", 2),
        ("there were mushrooms on it", 3),
    ],
)
def test_words_and_how_they_begin_find_what_is_meant(query: str, best: int) -> None:
    assert place(query) == best


def test_accents_and_capitals_do_not_matter() -> None:
    assert place("AVO vôlei", ["Você curte pizza.", "Você curte volei.", "Você curte chuva."]) == 1


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    assert place("friday pizza", ["pizza on friday", "pizza", "pizza again", "a kite"]) == 0


def test_sense_finds_what_shares_no_word_and_a_text_without_a_vector_is_found_by_words() -> None:
    near, far = np.array([1, 0], dtype=np.float32), np.array([0, 1], dtype=np.float32)
    index = Index(["a kite", "a boat", "a stone"], [far, near, None])
    assert index.rank("something else", near, limit=1)[0].place == 1
    assert {one.place for one in index.rank("stone", near, limit=2)} == {1, 2}


def test_scores_stay_between_0_and_1_and_never_more_come_than_there_are() -> None:
    near = np.array([1, 0], dtype=np.float32)
    ranked = Index(TEXTS, [near] * 4).rank("dog bento painting dinosaurs", near, limit=99)
    assert len(ranked) == 4
    assert all(0 <= one.score <= 1 for one in ranked)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_nothing_to_rank_is_no_error() -> None:
    assert Index([]).rank("anything", limit=5) == []
    assert len(Index(["", "?!"]).rank("", limit=5)) == 2
    assert terms_of("the and of a") == {}


def test_of_equals_the_later_one_comes_first() -> None:
    assert [one.place for one in Index(["a kite", "a kite"]).rank("kite", limit=2)] == [1, 0]
