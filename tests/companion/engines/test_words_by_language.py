"""What is read from a message in Portuguese, Spanish and French: a goodbye, a feeling, a death, people, a request."""

from __future__ import annotations

import pytest

from companion.bank.load import bank_for
from companion.engines.embedded.acts import acts_in, asks_in
from companion.types import Language
from companion.words import feeling_of, is_grave, lexicon, names_one, words_of

KINDS = ("good", "rough", "low", "asked", "people", "ahead", "thing")


def names(text: str, language: Language) -> set[str]:
    return {act.name for act in acts_in(text, language)}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-BR", "vou estudar um pouco entao, flw"),
        ("pt-BR", "vlw flw"),
        ("pt-BR", "tenho que ir jantar, falou"),
        ("es", "bueno me voy a cenar, bye"),
        ("fr", "bon je vais manger, à plus"),
    ],
)
def test_a_goodbye_at_the_end_of_a_sentence_is_a_goodbye(language: Language, text: str) -> None:
    assert "farewell" in names(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-BR", "olha o que ela falou"),
        ("pt-BR", "ele foi embora e nem deu tchau"),
        ("es", "se fue sin decir adiós"),
        ("fr", "il est parti sans dire au revoir"),
    ],
)
def test_a_goodbye_that_is_only_told_ends_nothing(language: Language, text: str) -> None:
    assert "farewell" not in names(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("pt-BR", "Boa noite."), ("es", "Buenas noches."), ("fr", "Bonsoir.")],
)
def test_an_evening_may_be_opened_with_its_greeting(language: Language, text: str) -> None:
    assert "greeting" in names(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("pt-BR", "me conta uma história"), ("es", "cuéntame un cuento"), ("fr", "raconte-moi une histoire")],
)
def test_a_request_for_a_story_is_no_answer_to_a_riddle(language: Language, text: str) -> None:
    assert asks_in(text, language)


@pytest.mark.parametrize(
    ("language", "text", "side"),
    [
        ("pt-BR", "não tô entendendo nada", -1),
        ("pt-BR", "a prof elogiou a gente", 1),
        ("es", "no entiendo nada", -1),
        ("es", "la maestra nos felicitó", 1),
        ("fr", "je comprends rien", -1),
        ("fr", "j'aime pas ça", -1),
        ("fr", "c'est trop bien", 1),
    ],
)
def test_a_feeling_is_read_with_what_denies_it(language: Language, text: str, side: int) -> None:
    assert feeling_of(words_of(text, language), language) == side


@pytest.mark.parametrize(
    ("language", "text", "grave"),
    [
        ("pt-BR", "perdi minha vó", True),
        ("pt-BR", "perdi o ônibus", False),
        ("es", "perdí a mi abuelo", True),
        ("es", "perdí el partido", False),
        ("fr", "j'ai perdu mon grand-père", True),
        ("fr", "j'ai perdu mes clés", False),
        ("en", "my best friend died", True),
        ("en", "my phone died", False),
    ],
)
def test_what_is_lost_is_only_a_death_where_somebody_was_lost(language: Language, text: str, grave: bool) -> None:
    assert is_grave(words_of(text, language), language) is grave


def test_it_rains_is_about_nobody() -> None:
    people = lexicon("fr").people
    assert names_one(words_of("il a rien dit", "fr"), people, "fr")
    assert not names_one(words_of("il pleut depuis lundi", "fr"), people, "fr")


@pytest.mark.parametrize("language", ["en", "pt-BR", "es", "fr"])
def test_every_language_listens_in_each_kind(language: Language) -> None:
    bank = bank_for(language)
    kinds = {exchange.id.rpartition("/")[2]: len(exchange.replies) for exchange in bank.acts["listening"]}
    assert all(kinds.get(kind, 0) >= 8 for kind in KINDS)
