"""Many ways of writing a word have one plain form, and every place in it leads back to the text as given."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.normalise import normalise


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("K1LL", "kill"),
        ("su1c1de", "suicide"),
        ("mys3lf", "myself"),
        ("k m s", "kms"),
        ("k.y.s", "kys"),
        ("s u i c i d e", "suicide"),
        ("ＫＭＳ", "kms"),
        ("𝓴𝓲𝓵𝓵", "kill"),
        ("ѕuісіdе", "suicide"),
        ("ki\u200bll", "kill"),
        ("s*icide", "suicide"),
        ("não é fácil, coração", "nao e facil, coracao"),
        ("cœur de ma sœur", "coeur de ma soeur"),
        ("don’t", "don't"),
        ("«oui»", '"oui"'),
    ],
)
def test_a_disguised_word_is_unmasked(written: str, plain: str) -> None:
    assert normalise(written).text == plain


@pytest.mark.parametrize("written", ["2 cats", "18", "im 12", "b4 2nite", "gr8", "mp3 at 10:30", "100000 views"])
def test_numbers_stay_numbers(written: str) -> None:
    assert normalise(written).text == written


def test_an_address_is_no_leet() -> None:
    assert normalise("me@x.com").text == "me@x.com"


def test_emoji_stay() -> None:
    assert "💀" in normalise("im dead 💀").text


def test_honest_other_scripts_stay() -> None:
    assert normalise("привет как дела").text == "привет как дела"


def test_stretched_words_are_read_both_ways() -> None:
    texts = {view.text for view in normalise("diiieee soooo baad kiiilll").views}
    assert any("die" in text.split() for text in texts)
    assert any("kill" in text.split() for text in texts)


def test_three_points_do_not_part_a_thought() -> None:
    readings = [reading for sentence in normalise("i want to... die").sentences() for reading in sentence.readings]
    assert "i want to die" in readings


def test_sentences_are_parted_and_placed() -> None:
    text = "Oh no! I LOST again. ok"
    assert [text[s.start : s.end] for s in normalise(text).sentences()] == ["Oh no", "I LOST again", "ok"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_every_place_leads_back(text: str) -> None:
    for view in normalise(text).views:
        assert len(view.starts) == len(view.ends) == len(view.text)
        assert list(view.starts) == sorted(view.starts)
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
    for sentence in normalise(text).sentences():
        assert 0 <= sentence.start < sentence.end <= len(text)


def _steps(text: str) -> int:
    """How many lines of the normaliser run for a text."""
    count = 0

    def line(frame: FrameType, event: str, arg: object) -> object:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, event: str, arg: object) -> object:
        return line if frame.f_code.co_filename == normalise.__code__.co_filename else None

    before = sys.gettrace()
    sys.settrace(call)  # type: ignore[arg-type]  # a trace function may return another
    try:
        list(normalise(text).sentences())
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece", ["a b ", "é1l", "🙂.", "a", "k.", "u\u0301", "s*", "ѕu ", "!!? ", "...a", "\u202eab\u202c"]
)
def test_work_grows_with_length_only(piece: str) -> None:
    short, long = ((piece * size)[:size] for size in (400, 3_200))
    assert _steps(long) <= 9 * _steps(short)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdefghij éãçñô.,!?'", max_size=80))
def test_plain_text_stays_as_it_is_the_second_time(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_a_turned_stretch_leads_back_to_itself(before: str, turned: str) -> None:
    text = f"{before}\u202e{turned}"
    for view in normalise(text).views:
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
        assert list(view.starts) == sorted(view.starts)


def test_letters_that_are_turned_round_are_read_as_they_are_shown() -> None:
    assert "i am here ok" in {view.text for view in normalise("\u202eereh ma i\u202c ok").views}
