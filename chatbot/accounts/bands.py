"""Age bands. A birth date is never kept: the age screen leaves the band and the month in which it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Band = Literal["13-15", "16-17", "18+"]
BANDS: tuple[Band, ...] = ("13-15", "16-17", "18+")
YOUNGEST = 13
OLDEST = 110


class ImpossibleMonth(ValueError):
    """The month is in the future, or longer ago than people live, or not a month."""


class TooYoung(Exception):
    """Under 13. Nothing about the person may be kept (R18)."""


@dataclass(frozen=True)
class AgeBand:
    """A band, and the first day of the month in which the next one begins (None for the last)."""

    band: Band
    until: date | None


def age_from(*, month: int, year: int, today: date) -> int:
    """Whole years, counted so that a birthday in the running month has not been yet: never a year too old."""
    if not 1 <= month <= 12 or (year, month) > (today.year, today.month) or today.year - year > OLDEST:
        raise ImpossibleMonth
    return today.year - year - (0 if today.month > month else 1)


def band_from_birth(*, month: int, year: int, today: date) -> AgeBand:
    """The band of somebody born in that month. Raises TooYoung under 13, ImpossibleMonth for nonsense."""
    age = age_from(month=month, year=year, today=today)
    if age < YOUNGEST:
        raise TooYoung
    # The month after the birthday's: on its first day the person is that old for certain.
    next_month, carry = (month + 1, 0) if month < 12 else (1, 1)
    if age < 16:
        return AgeBand("13-15", date(year + 16 + carry, next_month, 1))
    if age < 18:
        return AgeBand("16-17", date(year + 18 + carry, next_month, 1))
    return AgeBand("18+", None)


def youngest_of(band: Band) -> int:
    """The age to count with where only the band is known."""
    return {"13-15": YOUNGEST, "16-17": 16, "18+": 18}[band]


def band_at(band: Band, until: date | None, today: date) -> AgeBand:
    """The band as it is today: moves up once its month has come. Two years lie between 16 and 18."""
    while until is not None and today >= until:
        band, until = ("16-17", date(until.year + 2, until.month, 1)) if band == "13-15" else ("18+", None)
    return AgeBand(band, until)


def age_at(band: Band, until: date | None, today: date) -> int:
    """Whole years, as far as the band and its month tell: exact to the month under 18, 18 above."""
    now = band_at(band, until, today)
    if now.until is None:
        return 18
    oldest = 16 if now.band == "13-15" else 18
    months = (now.until.year - today.year) * 12 + now.until.month - today.month
    return oldest - -(-months // 12)
