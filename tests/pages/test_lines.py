from __future__ import annotations

import pytest
from pytest_django import Settings

from chatbot.pages.lines import country_help, country_known, phone_link, text_link, web_link


@pytest.mark.parametrize(
    ("phone", "link"),
    [
        ("988", "tel:988"),
        ("1-866-488-7386", "tel:18664887386"),
        ("13 11 14", "tel:131114"),
        ("*4141", "tel:*4141"),
        ("#31", "tel:%2331"),
        ("see name", ""),
        ("", ""),
        ("1", ""),
    ],
)
def test_a_phone_link_dials_what_is_written(phone: str, link: str) -> None:
    assert phone_link(phone) == link


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("HOME to 741741, WhatsApp", "sms:741741?&body=HOME"),
        ("START to 678-678, chat", "sms:678678?&body=START"),
        ("CONNECT (en) or TEXTO (fr) to 686868", "sms:686868?&body=CONNECT"),
        ("text 988, chat", "sms:988"),
        ("114", "sms:114"),
        ("0477 13 11 14", "sms:0477131114"),
        ("SMS 31393, WhatsApp", "sms:31393"),
        ("chat, email", ""),
        ("WhatsApp 300 754 8933", ""),
        ("chat 18:30-22, email", ""),
        ("same number", ""),
        ("", ""),
    ],
)
def test_a_text_link_only_where_a_phone_can_write(text: str, link: str) -> None:
    assert text_link(text) == link


@pytest.mark.parametrize(
    ("web", "link"),
    [
        ("988lifeline.org", "https://988lifeline.org"),
        ("https://allo119.gouv.fr", "https://allo119.gouv.fr"),
        ("argentina.gob.ar/linea-102", "https://argentina.gob.ar/linea-102"),
        ("javascript:alert(1)", ""),
        ("http://plain.example", ""),
        ("", ""),
    ],
)
def test_a_web_link_is_https_or_nothing(web: str, link: str) -> None:
    assert web_link(web) == link


@pytest.mark.parametrize(("typed", "code"), [("br", "BR"), (" US ", "US"), ("ZZ", ""), ("", ""), ("x" * 9999, "")])
def test_a_country_is_known_or_nothing(typed: str, code: str) -> None:
    assert country_known(typed) == code


def test_every_country_has_an_emergency_number_that_dials(settings: Settings) -> None:
    from chatbot.accounts.countries import NAMES

    settings.DEBUG = True
    for code in NAMES:
        here = country_help(code, "en")
        assert here.emergency, code
        assert all(link for _number, link in here.emergency), code
