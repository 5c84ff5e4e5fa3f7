from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.accounts import bands

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("month", "year", "band", "until"),
    [
        (10, 2013, "13-15", date(2029, 11, 1)),
        (11, 2012, "13-15", date(2028, 12, 1)),
        (12, 2012, "13-15", date(2029, 1, 1)),
        (10, 2010, "16-17", date(2028, 11, 1)),
        (11, 2010, "13-15", date(2026, 12, 1)),
        (10, 2008, "18+", None),
        (1, 1980, "18+", None),
    ],
)
def test_the_band_follows_the_month(month: int, year: int, band: str, until: date | None) -> None:
    assert bands.band_from_birth(month=month, year=year, today=TODAY) == bands.AgeBand(band, until)  # type: ignore[arg-type]  # the table's words are bands


@pytest.mark.parametrize(("month", "year"), [(11, 2013), (12, 2013), (1, 2014), (11, 2026)])
def test_under_thirteen_is_too_young_and_the_running_month_counts_as_not_yet(month: int, year: int) -> None:
    with pytest.raises(bands.TooYoung):
        bands.band_from_birth(month=month, year=year, today=TODAY)


@pytest.mark.parametrize(("month", "year"), [(0, 2010), (13, 2010), (12, 2026), (1, 2030), (5, 1800)])
def test_an_impossible_month_is_refused(month: int, year: int) -> None:
    with pytest.raises(bands.ImpossibleMonth):
        bands.band_from_birth(month=month, year=year, today=TODAY)


@given(
    month=st.integers(1, 12),
    year=st.integers(1990, 2013),
    today=st.dates(min_value=date(2027, 1, 1), max_value=date(2045, 1, 1)),
)
def test_the_band_kept_at_sign_up_grows_to_the_band_of_the_day(month: int, year: int, today: date) -> None:
    start = date(2026, 11, 24)
    try:
        kept = bands.band_from_birth(month=month, year=year, today=start)
    except bands.TooYoung:
        return
    assert bands.band_at(kept.band, kept.until, today) == bands.band_from_birth(month=month, year=year, today=today)


@given(month=st.integers(1, 12), year=st.integers(2009, 2013))
def test_the_age_is_read_back_from_the_band_to_the_month(month: int, year: int) -> None:
    try:
        kept = bands.band_from_birth(month=month, year=year, today=TODAY)
    except bands.TooYoung:
        return
    age = bands.age_from(month=month, year=year, today=TODAY)
    assert bands.age_at(kept.band, kept.until, TODAY) == min(age, 18)
