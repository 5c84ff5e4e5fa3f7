"""Helplines: every row can be used, only verified ones are shown for real, and nobody is ever left without a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from moderation.crisis import help_card, region_ready, signups_stopped, verified_put
from moderation.crisis.helplines import (
    ANY_EMERGENCY,
    EU,
    FALLBACK,
    HelplineError,
    Row,
    age_of,
    emergency_of,
    helplines,
    lines_for,
    old_lines,
    open_at,
    told_in,
)
from moderation.taxonomy import CARD_CATEGORIES
from moderation.types import LANGUAGES, Language
from tests.moderation.reading import NOW

TODAY = NOW.date()
COUNTRIES = sorted({row.country for row in helplines().lines} - {"any", "EU"})
# Countries whose numbers and lines the requirements name.
NAMED = "US CA GB IE AU NZ IN BR PT ES MX AR CO CL FR BE CH DE AT NL IT ZA JP".split()


@pytest.fixture(autouse=True)
def _nothing_verified() -> Iterator[None]:
    verified_put({})
    yield
    verified_put({})


def _row(name: str) -> Row:
    return next(row for row in helplines().lines if row.id == name)


def test_every_country_that_is_named_has_lines_and_an_emergency_number() -> None:
    assert set(NAMED) - set(COUNTRIES) == set()
    assert [country for country in NAMED if emergency_of(country) == ANY_EMERGENCY] == []


def test_ids_are_unique_and_every_row_says_where_it_is_from() -> None:
    rows = helplines().lines
    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if not (row.source and row.languages and row.categories and row.hours)] == []


@pytest.mark.parametrize("row", helplines().lines, ids=lambda row: row.id)
def test_a_row_leads_somewhere(row: Row) -> None:
    assert row.phone or row.text or row.web
    if row.phone is not None:
        assert re.fullmatch(r"[+*\d][\d ()*,;-]*(?: (?:or|,) [\d -]+)*", row.phone), row.phone
    if row.web is not None:
        address = urlsplit(row.web if "//" in row.web else f"https://{row.web}")
        assert address.scheme == "https"
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", address.netloc), row.web
    if row.read_on is not None:
        assert re.fullmatch(r"20\d\d-[01]\d", row.read_on)
    assert row.verified_on is None or row.verified_on <= TODAY
    assert row.always or row.time_zone is not None or row.windows == ()


@pytest.mark.parametrize("country", sorted(helplines().emergency))
def test_an_emergency_number_is_one(country: str) -> None:
    row = helplines().emergency[country]
    for number in (row.number, row.police, row.text):
        assert number is None or re.fullmatch(r"\d{3,5}", number)


@pytest.mark.parametrize("country", sorted(EU))
def test_europe_has_112(country: str) -> None:
    assert emergency_of(country) == "112"


def test_brazil_has_its_own_numbers() -> None:
    assert (emergency_of("BR"), emergency_of("BR", police=True)) == ("192", "190")
    phones = {row.phone for row in helplines().lines if row.country == "BR"}
    assert {"188", "100"} <= phones


def test_a_wrong_old_number_is_nowhere() -> None:
    everything = " ".join(f"{row.phone} {row.text}" for row in helplines().lines)
    assert not [old for old in ("08457", "0900-0113", "1-833-456-4566") if old in everything]
    assert all(row.phone != "141" for row in helplines().lines if row.country == "BR")


@pytest.mark.parametrize("country", [*NAMED, "US-CA", "uk", "KE", "", "??"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("production", [False, True])
def test_a_card_always_has_a_number_and_a_way_on(country: str, language: Language, production: bool) -> None:
    for categories in set(CARD_CATEGORIES.values()):
        card = help_card(country, language, categories, now=NOW, production=production)
        assert card.emergency
        assert card.emergency in card.body
        assert card.fallback == FALLBACK
        assert len(card.lines) <= 4
        assert card.to_json()["fallback"] == FALLBACK


@pytest.mark.parametrize("country", NAMED)
def test_a_line_that_nobody_verified_is_hidden_in_production(country: str) -> None:
    shown = help_card(country, "en", now=NOW, production=False).lines
    assert shown
    assert all(line.unverified for line in shown)
    assert help_card(country, "en", now=NOW, production=True).lines == ()
    assert region_ready(country, production=False, today=TODAY)
    assert not region_ready(country, production=True, today=TODAY)


def test_a_verified_line_is_shown_with_its_day() -> None:
    row = next(row for row in helplines().lines if row.country == "BR" and "S" in row.categories)
    verified_put({row.id: TODAY})
    card = help_card("BR", "pt-BR", now=NOW, production=True)
    assert [(line.id, line.unverified, line.verified_on) for line in card.lines] == [(row.id, False, TODAY.isoformat())]
    assert region_ready("BR", production=True, today=TODAY)


def test_what_was_reported_wrong_is_shown_to_nobody() -> None:
    row = next(row for row in helplines().lines if row.country == "BR" and "S" in row.categories)
    verified_put({row.id: TODAY}, wrong=[row.id])
    for production in (False, True):
        card = help_card("BR", "pt-BR", now=NOW, production=production)
        assert row.id not in {line.id for line in card.lines}


@pytest.mark.parametrize(
    ("days", "age"), [(0, "fresh"), (90, "fresh"), (91, "old"), (180, "old"), (181, "expired"), (900, "expired")]
)
def test_a_verification_ages(days: int, age: str) -> None:
    row = next(row for row in helplines().lines if row.country == "BR")
    assert age_of(row, TODAY) == "never"
    verified_put({row.id: TODAY - timedelta(days=days)})
    assert age_of(row, TODAY) == age
    assert (row in old_lines(TODAY)) == (age != "fresh")


def test_after_180_days_sign_ups_stop_and_the_line_stays() -> None:
    row = next(row for row in helplines().lines if row.country == "BR" and "S" in row.categories)
    verified_put({row.id: TODAY - timedelta(days=181)})
    assert signups_stopped("BR", TODAY)
    assert [line.id for line in help_card("BR", "pt-BR", now=NOW, production=True).lines] == [row.id]
    other = next(one for one in helplines().lines if one.country == "BR" and one.id != row.id)
    verified_put({row.id: TODAY - timedelta(days=181), other.id: TODAY - timedelta(days=10)})
    assert not signups_stopped("BR", TODAY)


def test_a_country_without_rows_gets_the_emergency_and_the_world_list() -> None:
    card = help_card("KE", "en", now=NOW, production=False)
    assert (card.emergency, card.lines, card.fallback) == (ANY_EMERGENCY, (), FALLBACK)
    assert not region_ready("KE", production=False, today=TODAY)


def test_text_comes_before_phone() -> None:
    assert help_card("US", "en", ["S"], now=NOW, production=False).lines[0].text


def test_a_line_that_is_open_comes_before_a_closed_one_of_its_kind() -> None:
    night = datetime(2026, 11, 24, 3, tzinfo=UTC)
    shown = lines_for("FR", "fr", ["C"], now=night, production=False, most=9)
    order = {True: 0, None: 1, False: 2}
    state = [order[open_at(_row(line.id), night)] for line in shown]
    assert state == sorted(state)
    assert len(set(state)) > 1


def test_the_person_s_own_language_comes_first() -> None:
    for country, language, spoken in [("BE", "fr", "fr"), ("US", "es", "es"), ("CA", "fr", "fr"), ("CH", "fr", "fr")]:
        shown = help_card(country, language, now=NOW, production=False).lines  # type: ignore[arg-type]  # languages
        assert spoken in _row(shown[0].id).languages


def test_eating_and_online_dangers_get_their_own_lines_where_there_are_any() -> None:
    eating = help_card("US", "en", CARD_CATEGORIES["eating"], now=NOW, production=False).lines
    assert "E" in _row(eating[0].id).categories
    online = help_card("US", "en", CARD_CATEGORIES["sextortion"], now=NOW, production=False).lines
    assert "X" in _row(online[0].id).categories


def test_later_cards_are_short_and_say_something_else() -> None:
    bodies = [help_card("US", "en", now=NOW, production=False, shown=shown).body for shown in range(6)]
    assert len(set(bodies)) == 6
    assert len(help_card("US", "en", now=NOW, production=False, shown=1).lines) <= 2


def test_hours_past_midnight_are_understood() -> None:
    row = _row_with_windows("22:00", "02:00")
    assert open_at(row, datetime(2026, 11, 24, 23, tzinfo=UTC)) is True
    assert open_at(row, datetime(2026, 11, 25, 1, tzinfo=UTC)) is True
    assert open_at(row, datetime(2026, 11, 25, 3, tzinfo=UTC)) is False


def _row_with_windows(opens: str, until: str) -> Row:
    return Row.model_validate(
        {
            "id": "test", "country": "IE", "languages": ["en"], "categories": ["S"], "name": "Test", "hours": "late",
            "time_zone": "UTC", "windows": [{"opens": opens, "until": until}],
        }
    )  # fmt: skip


@pytest.mark.parametrize("content", [None, "lines: 7", "emergency: {}\nlines: [{id: A B}]", "{", "\xff\xfe"])
def test_a_file_that_cant_be_used_says_so(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "helplines.yaml"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(HelplineError, match=r"helplines\.yaml"):
        helplines(path)


def test_dates_of_the_file_are_dates() -> None:
    assert all(row.verified_on is None or isinstance(row.verified_on, date) for row in helplines().lines)


def test_hours_and_ways_are_told_in_the_language_of_the_page() -> None:
    assert told_in("pt-BR", "24 h (chat part day)") == "24 h (chat em parte do dia)"
    assert told_in("es", "text 988, chat") == "SMS 988, chat"
    assert told_in("fr", "Mon-Sat 14-20, Mon Wed Thu 10-12") == "lun-sam 14-20, lun, mer et jeu 10-12"
    assert told_in("fr", "HOME to 741741, WhatsApp") == "HOME to 741741, WhatsApp"
    assert told_in("en", "part day") == "part day"


@pytest.mark.parametrize("language", ["pt-BR", "es", "fr"])
def test_no_row_keeps_an_english_word_in_another_language(language: Language) -> None:
    english = {"part", "day", "daily", "weekdays", "text", "mail", "email", "form", "closed", "some", "days", "phone"}
    for row in helplines().lines:
        for told in (row.hours, row.text or ""):
            assert not english & set(told_in(language, told).lower().replace(",", " ").split()), row.id
