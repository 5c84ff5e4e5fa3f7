"""Whom somebody loves and sexual health are hidden in excerpts, in four languages; the rest of the sentence is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.detectors.personal.spans import mask
from moderation.detectors.private import private_spans


def masked(text: str) -> str:
    return mask(text, private_spans(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my dad found out im gay and hit me", "my dad found out im [identity] and hit me"),
        ("I'm Non-Binary, ok?", "I'm [identity], ok?"),
        ("coming out went wrong", "[identity] went wrong"),
        ("i think im pregnant", "i think im [sexual health]"),
        ("acho que tô grávida e sou lésbica", "acho que tô [sexual health] e sou [identity]"),
        ("soy lesbiana y no tomé la del día siguiente", "soy [identity] y no tomé la del [sexual health]"),
        ("je suis enceinte, je suis bisexuelle", "je suis [sexual health], je suis [identity]"),
        ("they/them, trans, so what", "they/them, [identity], so what"),
    ],
)
def test_it_is_hidden(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "i took the pills", "j'ai avalé des pilules", "quiero pan", "the periodic table", "im transferring schools",
        "la regla de tres", "i aced the prep test", "its my period of history", "he hit me at home", "",
    ],
)  # fmt: skip
def test_other_words_stay(text: str) -> None:
    assert masked(text) == text


def test_masking_twice_is_masking_once() -> None:
    once = masked("gay, pregnant and non binary")
    assert masked(once) == once == "[identity], [sexual health] and [identity]"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_and_places_are_in_it(text: str) -> None:
    end = 0
    for span in private_spans(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end
