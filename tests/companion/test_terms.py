from __future__ import annotations

import pytest

from companion.memory.terms import EMPTY, Asks, asked_of, dates_of, stem_of, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("painted", "painting"),
        ("dinosaurs", "dinosaur"),
        ("stories", "story"),
        ("running", "run"),
        ("teachers", "teach"),
        ("boxes", "box"),
        ("watched", "watches"),
        ("hobby", "hobbies"),
        ("adoption", "adopted"),
        ("gatos", "gato"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem_of(one) == stem_of(other)


@pytest.mark.parametrize(("one", "other"), [("sing", "single"), ("bus", "bust"), ("news", "newton"), ("red", "reed")])
def test_other_words_have_another(one: str, other: str) -> None:
    assert stem_of(one) != stem_of(other)


@pytest.mark.parametrize("word", ["", "s", "ing", "ed", "sses", "y", "e", "ies", "1999s", "猫"])
def test_the_shortest_words_stay_words(word: str) -> None:
    assert bool(stem_of(word)) == bool(word)


def test_words_are_folded_and_apostrophes_cut() -> None:
    assert words_of("Leo's sister doesn’t LIKE l'armée — ok?") == [
        "leo",
        "sister",
        "doesnt",
        "like",
        "l",
        "armee",
        "ok",
    ]
    assert {"doesnt", "l"} <= EMPTY
    assert words_of("") == words_of("🙂 …") == []


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did Leo move?", "when"),
        ("In which month is it?", "when"),
        ("Quando foi a festa?", "when"),
        ("¿Cuándo fue la fiesta?", "when"),
        ("Quand est la fête ?", "when"),
        ("Where does she live?", "where"),
        ("Onde ela mora?", "where"),
        ("¿Dónde vive?", "where"),
        ("Who is Bento?", "who"),
        ("Quem é Bento?", "who"),
        ("¿Quién es?", "who"),
        ("Why so sad?", "why"),
        ("Pourquoi ?", "why"),
        ("How many cats are there?", "count"),
        ("Quantos gatos?", "count"),
        ("¿Cuántos gatos?", "count"),
        ("Combien de chats ?", "count"),
        ("What is it like?", "other"),
        ("", "other"),
    ],
)
def test_what_a_question_asks_for(question: str, kind: Asks) -> None:
    assert asked_of(words_of(question)) == kind


def test_dates_that_are_named() -> None:
    assert dates_of(words_of("What did she do in June 2023?")) == ({6}, {2023})
    assert dates_of(words_of("Em março de 2024?")) == ({3}, {2024})
    assert dates_of(words_of("She may march on.")) == (set(), set())
    assert dates_of(words_of("In May 2024")) == ({5}, {2024})
    assert dates_of(words_of("1000 hats and 19٣٤")) == (set(), set())
