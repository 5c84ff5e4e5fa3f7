"""The day that a phrase means: said on Wednesday, 25 November 2026, unless the row says another day."""

from __future__ import annotations

from datetime import date

import pytest

from companion.memory.dates import day_in_words, times_in
from companion.types import LANGUAGES, Language

SAID = date(2026, 11, 25)
ROWS: list[tuple[Language, str, str | None]] = [
    ("en", "test on friday", "2026-11-27"),
    ("en", "next friday", "2026-12-04"),
    ("en", "tmrw morning", "2026-11-26"),
    ("en", "tonight", "2026-11-25"),
    ("en", "the day after tomorrow", "2026-11-27"),
    ("en", "in two weeks", "2026-12-09"),
    ("en", "in 3 days", "2026-11-28"),
    ("en", "on the 14th", "2026-12-14"),
    ("en", "the 25th", "2026-11-25"),
    ("en", "14 march", "2027-03-14"),
    ("en", "march 14th", "2027-03-14"),
    ("en", "on friday the 4th of december", "2026-12-04"),
    ("en", "14/3", "2027-03-14"),
    ("en", "3/14", "2027-03-14"),
    ("en", "this weekend", "2026-11-28"),
    ("en", "next weekend", "2026-12-05"),
    ("en", "wednesday", "2026-12-02"),
    ("en", "29 february", "2028-02-29"),
    ("en", "31 february", None),
    ("en", "the 32nd", None),
    ("en", "14 march 9999", None),
    ("en", "14 march 2019", None),
    ("en", "next month", None),
    ("pt-BR", "na sexta", "2026-11-27"),
    ("pt-BR", "sexta que vem", "2026-12-04"),
    ("pt-BR", "domingo agora", "2026-11-29"),
    ("pt-BR", "amanhã de manhã", "2026-11-26"),
    ("pt-BR", "depois de amanhã", "2026-11-27"),
    ("pt-BR", "dia 14", "2026-12-14"),
    ("pt-BR", "14 de março", "2027-03-14"),
    ("pt-BR", "daqui a duas semanas", "2026-12-09"),
    ("pt-BR", "no fim de semana", "2026-11-28"),
    ("pt-BR", "31 de fevereiro", None),
    ("pt-BR", "dia 32", None),
    ("es", "el viernes", "2026-11-27"),
    ("es", "el viernes que viene", "2026-11-27"),
    ("es", "mañana por la mañana", "2026-11-26"),
    ("es", "por la mañana", None),
    ("es", "pasado mañana", "2026-11-27"),
    ("es", "el 14", "2026-12-14"),
    ("es", "el 14 de marzo", "2027-03-14"),
    ("es", "en dos semanas", "2026-12-09"),
    ("es", "este finde", "2026-11-28"),
    ("es", "el 31 de febrero", None),
    ("fr", "vendredi", "2026-11-27"),
    ("fr", "vendredi prochain", "2026-12-04"),
    ("fr", "après-demain", "2026-11-27"),
    ("fr", "demain aprem", "2026-11-26"),
    ("fr", "le 14", "2026-12-14"),
    ("fr", "le mardi 1er décembre", "2026-12-01"),
    ("fr", "dans deux semaines", "2026-12-09"),
    ("fr", "ce week-end", "2026-11-28"),
    ("fr", "le 31 février", None),
]


@pytest.mark.parametrize(("language", "text", "day"), ROWS)
def test_a_phrase_means_a_day(language: Language, text: str, day: str | None) -> None:
    found = times_in(text, SAID, language)
    assert len(found) == 1
    assert found[0].day == (None if day is None else date.fromisoformat(day))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "on tuesdays"),
        ("en", "every other friday"),
        ("pt-BR", "toda terça"),
        ("pt-BR", "às quintas"),
        ("es", "los martes"),
        ("es", "todos los viernes"),
        ("fr", "le mardi"),
        ("fr", "tous les jeudis"),
    ],
)
def test_what_comes_again_is_no_day(language: Language, text: str) -> None:
    assert [(one.day, one.again) for one in times_in(text, SAID, language)] == [(None, True)]


def test_a_date_that_no_calendar_can_hold_is_none() -> None:
    assert times_in("in 999 weeks", date(9999, 12, 30), "en")[0].day is None
    assert times_in("tomorrow", date.max, "en")[0].day is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_is_said_with_its_weekday_and_month(language: Language) -> None:
    said = day_in_words(SAID, language)
    assert "25" in said
    assert times_in(said, date(2026, 11, 20), language)[0].day == SAID
