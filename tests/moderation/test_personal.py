"""Personal data is found where it stands, and ordinary numbers are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.detectors.personal import mask, personal_spans


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail me at ana.b+c@example.org ok", "mail me at [email] ok"),
        ("call 415-555-0134 pls", "call [phone] pls"),
        ("meu zap é 11 91234 5678", "meu zap é [phone]"),
        ("+33 6 12 34 56 78", "[phone]"),
        ("my insta is cutie_pie99", "my insta is [handle]"),
        ("write @lolo_99", "write [handle]"),
        ("go to discord.gg/abc now", "go to [url] now"),
        ("4111 1111 1111 1111", "[card]"),
    ],
)
def test_it_is_masked(text: str, masked: str) -> None:
    assert mask(text, personal_spans(text)) == masked


@pytest.mark.parametrize(
    "text",
    [
        "insta is down",
        "i got 1000000000 points",
        "born 12/03/2010",
        "2020-2021 2022",
        "pi is 3.14159265358979",
        "i am 15",
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert personal_spans(text) == ()


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120))
def test_spans_are_in_order_and_inside(text: str) -> None:
    at = 0
    for span in personal_spans(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end
