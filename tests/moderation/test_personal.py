"""Personal data is found where it stands, and ordinary numbers are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.detectors.personal.spans import mask, personal_spans


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
        ("my full name is maya lopez and i like cats", "my full name is [name] and i like cats"),
        ("Je m'appelle Inès Martin, j'ai 14 ans", "Je m'appelle [name], j'ai 14 ans"),
        ("me chamo João da Silva Souza mano", "me chamo [name] mano"),
        ("i go to lincoln high lol", "i go to [school] lol"),
        ("estudo no colégio santa maria hoje não", "estudo no [school] hoje não"),
        ("voy al Instituto Los Álamos por la tarde", "voy al [school] por la tarde"),
        ("jsuis au collège Victor Hugo", "jsuis au [school]"),
        ("i live at 14 maple street flat 2", "i live at [address]"),
        ("moro na rua das Acácias, 120, apto 31", "moro na [address]"),
        ("vivo en calle Mayor 5", "vivo en [address]"),
        ("12 bis rue de la Gare", "[address]"),
        ("postcode: SW1A 1AA", "postcode: [address]"),
        ("minha senha é gato123!", "minha senha é [password]"),
        ("my password is correcthorse", "my password is [password]"),
        ("cpf 123.456.789-09 ok", "cpf [id] ok"),
        ("dni 12345678Z", "dni [id]"),
        ("GB82 WEST 1234 5698 7654 32", "[iban]"),
        ("i'm at 48.85837, 2.294481 rn", "i'm at [place] rn"),
        ("we live above the bakery", "we live [place]"),
        ("text me at maya.l at gmail dot com", "text me at [email]"),
        ("call five five five oh one four two please", "call [phone] please"),
        ("add me on snap its luna_x9", "add me on snap its [handle]"),
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
        "my name is maya",
        "my name is maya and i like cats",
        "me llamo como mi abuela",
        "je m'appelle comme toi",
        "i go to school by bus",
        "voy a la escuela desde abril",
        "a escola toda viu",
        "je vais au collège demain",
        "found 10 euros on the street",
        "my password is so weak",
        "minha senha é muito fraca",
        "my insta is so boring",
        "my school is called a prison by everyone lol no",
        "i live in a small town",
        "one two three four five",
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


def test_a_long_text_is_read_in_time_linear_in_it() -> None:
    """Nothing of it may be backtracked over: 20,000 characters of what every pattern begins with."""
    for piece in ("my name is ", "12 ", "rua ", "a@", "one two ", "i go to ", "0"):
        assert isinstance(personal_spans((piece * 20_000)[:20_000]), tuple)
