"""What wakes a skill: its own words, with some around them, or its name after a word that asks."""

from __future__ import annotations

import pytest

from companion.skills.catalogue import Skills
from companion.skills.house import HOUSE, SIGNS, Claim
from companion.types import LANGUAGES, Language
from tests.companion.skills.talking import (
    claimed,
    house,
    shipped_forms,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_of_asking_wakes_its_own_skill(skills: Skills, language: Language) -> None:
    for name, forms in shipped_forms().items():
        own = forms.get(language)
        for wake in (*own.wakes, *own.alone) if own is not None and name != HOUSE else ():
            assert claimed(skills, wake, language=language) == Claim("begin", name), wake
            assert claimed(skills, f"{wake.upper()}!!!", language=language) == Claim("begin", name), wake


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tap_of_every_skill_wakes_it(skills: Skills, language: Language) -> None:
    for name, forms in shipped_forms().items():
        if language in forms and name != HOUSE:
            chip = forms[language].chip or forms[language].title
            assert claimed(skills, chip, language=language) == Claim("begin", name), chip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hey can you tell me a joke please", "jokes"),
        ("ok so, can we play word chain now?", "word_chain"),
        ("i want a riddle pls", "riddles"),
        ("tell me a joke about cats", "jokes"),
        ("can you tell me a joke about my maths teacher", "jokes"),
        ("help me calm down before the test", "calm_down"),
        ("huh? i'd bet on something else. can we play 20 questions", "twenty_questions"),
    ],
)
def test_a_way_of_asking_may_have_words_around_it_and_be_gone_on_from(skills: Skills, text: str, name: str) -> None:
    assert claimed(skills, text) == Claim("begin", name)


@pytest.mark.parametrize(
    "text",
    [
        "a joke is all my teacher ever tells",
        "my brother has a joke book",
        "she is a riddle wrapped in a hoodie",
        "word chain stores are a thing here",
        "it was a mystery to all of us",
        "",
        "🙂",
    ],
)
def test_two_words_inside_a_sentence_wake_nothing(skills: Skills, text: str) -> None:
    assert claimed(skills, text) is None


NAMED: dict[Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "jokes": ("ok now hit me with another dad joke", "lol that was bad, different joke pls"),
        "riddles": ("more riddles like that",),
    },
    "pt-BR": {
        "riddles": ("pode ser charada", "agora quero uma charada bem difícil"),
        "jokes": ("vai, conta mais uma dessas piada ruim",),
    },
    "es": {
        "riddles": ("no entendí nada. ya dime una adivinanza",),
        "jokes": ("otro chiste malo porfa", "ya po dime algún chiste"),
    },
    "fr": {"charades": ("allez dis une charade", "jveux une charade"), "jokes": ("mdr encore une blague nulle",)},
}
# Told, judged, asked about or waved off: no game is wanted.
NOT_NAMED: dict[Language, tuple[str, ...]] = {
    "en": (
        "i want to tell you a joke",
        "why do people laugh at their own jokes",
        "no more jokes pls",
        "that joke was new to me",
        "my brother says the same joke every day",
    ),
    "pt-BR": ("vou te contar uma piada", "não quero piada agora", "era a resposta da charada", "chega de piada"),
    "es": (
        "te voy a contar un chiste",
        "no quiero chistes",
        "ya era la respuesta de la adivinanza",
        "basta de chistes",
    ),
    "fr": (
        "jvais te raconter une blague",
        "c'est une blague tes réponses",
        "je veux plus de blagues",
        "arrête tes blagues",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_skill_that_is_named_after_a_word_that_asks_is_woken(skills: Skills, language: Language) -> None:
    for name, texts in NAMED[language].items():
        for text in texts:
            assert claimed(skills, text, language=language) == Claim("begin", name), text
    assert [text for text in NOT_NAMED[language] if claimed(skills, text, language=language) is not None] == []


def test_a_long_message_wakes_nothing_however_it_begins(skills: Skills) -> None:
    assert claimed(skills, "tell me a joke about my cat and the old blue sofa") is None


def test_a_skill_that_does_not_speak_a_language_is_not_woken_in_it(more: Skills) -> None:
    assert claimed(more, "tell me a pebble") == Claim("begin", "pebbles")
    assert claimed(more, "tell me a pebble", language="fr") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_skill_is_woken_by_a_yes_a_stop_or_a_goodbye(skills: Skills, language: Language) -> None:
    form = house(language)
    said = [*form.stop, *form.bye, *(phrase for sign in SIGNS for phrase in getattr(form, sign))]
    assert [text for text in said if claimed(skills, text, language=language) is not None] == []
