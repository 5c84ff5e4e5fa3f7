from __future__ import annotations

import numpy as np
import pytest

from chatbot.core.encoder.values import Floats
from companion.memory.features import NAMES, SENSE
from companion.memory.ranking import CANDIDATES, Index
from companion.memory.reranker import FEATURES, Reranker, RerankerError
from companion.memory.said import Named, Said

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
    assert Index(["the and of a", "a kite"]).rank("the of", limit=1)[0].score == 0


def test_of_equals_the_later_one_comes_first() -> None:
    assert [one.place for one in Index(["a kite", "a kite"]).rank("kite", limit=2)] == [1, 0]


def vector(*numbers: float) -> Floats:
    found = np.array(numbers, dtype=np.float32)
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)


def talk(*turns: tuple[str, str, str]) -> Index:
    """Who, when, what."""
    return Index([text for _, _, text in turns], said=[Said(who, at) for who, at, _ in turns])


MORNING, EVENING = "2026-03-02T09:00:00+00:00", "2026-03-02T21:00:00+00:00"
PETS = (
    ("Maya", MORNING, "I went to the lake with my cousins."),
    ("Leo", MORNING, "Nice! And what is the name of your new puppy?"),
    ("Maya", MORNING, "It's Bento, like the lunch box."),
    ("Leo", MORNING, "I am learning the drums at the moment."),
    ("Maya", EVENING, "The bus was late again."),
    ("Leo", EVENING, "My sister moved to Lisbon in spring."),
)


def first(index: Index, query: str, vector: Floats | None = None) -> int:
    return index.rank(query, vector, limit=1)[0].place


def test_an_answer_is_found_by_the_question_before_it() -> None:
    assert first(talk(*PETS), "What is the name of Maya's puppy?") == 2


def test_a_question_in_another_session_lends_nothing() -> None:
    apart = [*PETS[:2], ("Maya", EVENING, "It's Bento, like the lunch box."), *PETS[3:]]
    together, other = (
        index.candidates("What is the name of the puppy?", None)[1][2] for index in (talk(*PETS), talk(*apart))
    )
    before = NAMES.index("stems-1")
    assert together[before] > 0
    assert other[before] == 0


def test_who_is_named_in_the_question_said_it() -> None:
    turns = (("Maya", MORNING, "I play the drums in a band."), ("Leo", MORNING, "I play the drums in a band."))
    assert first(talk(*turns), "Which instrument does Maya play?") == 0
    assert first(talk(*turns), "Which instrument does Leo play?") == 1


def test_a_nickname_is_the_beginning_of_a_name_and_has_a_capital_letter() -> None:
    named = talk(("Josefina", MORNING, "hi"), ("Ruth", MORNING, "a calm day"))._talk.named
    assert named("What did Jos bake?") == Named(("what", "did", "bake"), frozenset({0}))
    assert named("Did somebody jos something?").who == frozenset()
    assert named("What do Jos and Ruth like?").who == frozenset({0, 1})


def test_what_is_asked_for_counts() -> None:
    turns = (("Maya", MORNING, "The concert was loud."), ("Maya", MORNING, "The concert was on 4 May."))
    assert first(talk(*turns), "When was the concert?") == 1


def test_a_turn_that_is_added_is_found_as_if_it_had_been_there() -> None:
    rng = np.random.default_rng(3)
    words = "kite boat stone river cake drum bread lamp coat moon garden horse paint tiger".split()
    texts = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(700)]
    vectors = [None if place % 7 == 0 else vector(*row) for place, row in enumerate(rng.standard_normal((700, 8)))]
    said = [
        Said("Maya" if place % 2 else "Leo", f"2026-03-{place // 30 + 1:02}T10:00:00", vectors[place])
        for place in range(700)
    ]
    whole, grown = Index(texts, vectors, said=said), Index()
    for start, end in ((0, 1), (1, 40), (40, 41), (41, 600), (600, 700)):
        grown.add(texts[start:end], vectors[start:end], said=said[start:end])
    for query in ("what did Maya paint", "tigers on a boat", "", "Leo"):
        for asked in (None, vector(*rng.standard_normal(8))):
            expected, found = (index.rank(query, asked, limit=700) for index in (whole, grown))
            assert [one.place for one in found] == [one.place for one in expected]
            assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-5)


def test_many_turns_keep_what_is_not_looked_at_closely_behind_and_in_order() -> None:
    texts = ["a kite", *(f"stone number {place}" for place in range(400))]
    found = Index(texts, said=[Said("Maya")] * len(texts)).rank("kite", limit=401)
    assert found[0].place == 0
    assert len({one.place for one in found}) == 401
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert scores[CANDIDATES - 1] >= 0.5 >= scores[CANDIDATES]


@pytest.mark.parametrize(
    "query", ["", "?!", "🙂", "Maya", "\x00", "a" * 20_000, "kite " * 4_000, "May 2026 when who why"]
)
def test_rubbish_is_ranked_without_an_error(query: str) -> None:
    texts = ["", "🙂🙂", "\x00", "b" * 20_000, "kite " * 4_000, "a\u0301" * 50, "…"]
    at = ["", "yesterday", "2026-13-45", "9999-12-31T23:59:59", "0001-01-01", "2026-03-02", "2026-03-02T09:00:00+00:00"]
    said = [Said("Maya", at[0]), Said("", at[1]), None, *(Said("Leo 🙂", one) for one in at[3:])]
    for vectors in (None, [vector(1, 0)] + [None] * 6, [None] * 7):
        index = Index(texts, vectors, said=said)
        for asked in (None, vector(1, 1)):
            assert sorted(one.place for one in index.rank(query, asked, limit=99)) == list(range(7))


def test_nothing_said_is_no_error() -> None:
    index = Index([], [], said=[])
    index.add([])
    assert index.rank("kite", vector(1, 0), limit=5) == []
    assert talk(*PETS).rank("kite", limit=0) == []
    assert talk(*PETS).rank("kite", limit=-1) == []


def test_without_its_weights_a_talk_is_ranked_by_words_and_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Reranker:
        raise RerankerError("gone")

    monkeypatch.setattr("companion.memory.ranking.reranker", missing)
    assert first(talk(*PETS), "Who moved to Lisbon?") == 5


def test_weights_made_for_other_features_are_refused() -> None:
    with pytest.raises(RerankerError, match="other features"):
        Reranker({"features": np.array("older")})
    with pytest.raises(RerankerError, match=r"first\.weight"):
        Reranker({"features": np.array(FEATURES)})


def test_every_candidate_has_every_feature_in_range() -> None:
    turns = talk(*PETS)
    places, seen = turns.candidates("When did Leo's sister move to Lisbon?", None)
    assert seen.shape == (len(PETS), len(NAMES))
    assert np.isfinite(seen).all()
    assert places.tolist() == list(range(len(PETS)))
    assert not seen[:, list(SENSE)].any()  # no vectors, nothing known
    assert seen[5, NAMES.index("who")] > 0 > seen[0, NAMES.index("who")]
    assert seen[5, NAMES.index("when_time")] == 1


def test_a_date_in_the_question_favours_turns_of_that_time() -> None:
    turns = talk(("Maya", "2026-03-02T09:00:00", "A cake!"), ("Maya", "2026-06-02T09:00:00", "A cake!"))
    _, seen = turns.candidates("What did Maya bake in June 2026?", None)
    assert (seen[:, NAMES.index("dated")] > 0).tolist() == [False, True]
