"""In which language a message is: told only where the message itself tells it."""

from __future__ import annotations

import pytest

from moderation.detectors.language import language_of
from moderation.types import Language


@pytest.mark.parametrize(
    ("text", "own", "found"),
    [
        ("me encanta dibujar dragones por la tarde", "en", "es"),
        ("i love drawing dragons after school", "es", "en"),
        ("ok lol", "fr", "fr"),
        ("", "en", "en"),
    ],
)
def test_a_message_is_in_its_own_language_if_it_is_long_enough_to_tell(text: str, own: Language, found: str) -> None:
    assert language_of(text, own) == found


@pytest.mark.parametrize(
    ("text", "own"),
    [("What does Abraço mean?", "en"), ("¿Por qué te llamas Abraço?", "es"), ("pourquoi tu t'appelles abraço", "fr")],
)
def test_the_companion_s_name_is_no_portuguese(text: str, own: Language) -> None:
    assert language_of(text, own) == own
