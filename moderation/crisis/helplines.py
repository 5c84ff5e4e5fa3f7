"""Helplines: rows by country, language and category, how old their verification is, and the card that shows them.

crisis/helplines.yaml holds the rows. An operator verifies each by calling or opening it; `verified_put` hands in what
was verified and when (kept in the database by moderation.incidents), so that a card needs no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.types import Language

FILE: Final = Path(__file__).resolve().parent / "helplines.yaml"
WORDS: Final = FILE.with_name("helpline_words.yaml")
FALLBACK: Final = "findahelpline.com"
WARN_DAYS: Final = 90
STOP_DAYS: Final = 180
LINES_FULL: Final = 4
LINES_SHORT: Final = 2
# The last resort when the file can't be read: the numbers that most of the world's phones understand.
ANY_EMERGENCY: Final = "112 / 911"
EU: Final = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
_LANGUAGE: Final[Mapping[Language, str]] = {"en": "en", "pt-BR": "pt", "es": "es", "fr": "fr"}

Kind = Literal["S", "C", "A", "E", "L", "X", "O"]
Age = Literal["fresh", "old", "expired", "never"]


class HelplineError(Exception):
    """helplines.yaml can't be used."""


class Window(BaseModel):
    """Open on these days (0 is Monday) from hour to hour, local time; `until` may pass midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    opens: str = Field(pattern=r"^\d\d:\d\d$")
    until: str = Field(pattern=r"^\d\d:\d\d$")


class Row(BaseModel):
    """One helpline. `verified_on`: the last time that somebody called or opened it, as shipped."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    country: str = Field(pattern=r"^([A-Z]{2}|any)$")
    languages: tuple[str, ...] = Field(min_length=1)
    categories: tuple[Kind, ...] = Field(min_length=1)
    name: str
    phone: str | None = None
    text: str | None = None
    web: str | None = None
    hours: str
    always: bool = False
    time_zone: str | None = None
    windows: tuple[Window, ...] = ()
    audience: str = "all"
    source: str = ""
    read_on: str | None = None
    verified_on: date | None = None


class Emergency(BaseModel):
    """Emergency numbers of a country: for a body in danger, for a crime, and by text where there is one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: str
    police: str | None = None
    text: str | None = None


class Helplines(BaseModel):
    """helplines.yaml"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    emergency: dict[str, Emergency]
    lines: tuple[Row, ...]


@dataclass(frozen=True)
class CardLine:
    """A row as the card shows it. `unverified` rows appear in the demo only."""

    id: str
    name: str
    phone: str | None
    text: str | None
    web: str | None
    hours: str
    unverified: bool
    verified_on: str | None


@dataclass(frozen=True)
class HelpCard:
    """The card, drawn by code from data. `fallback`: where more lines are found, world-wide."""

    title: str
    body: str
    emergency: str
    lines: tuple[CardLine, ...]
    fallback: str = FALLBACK
    labels: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """For the protocol and the page."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines], "labels": dict(self.labels or {})}


_verified: dict[str, date] = {}
_wrong: set[str] = set()


def verified_put(checks: Mapping[str, date], *, wrong: Iterable[str] = ()) -> None:
    """What the operator verified (id -> day), and what was reported wrong. Replaces what was put before."""
    _verified.clear()
    _verified.update(checks)
    _wrong.clear()
    _wrong.update(wrong)


@lru_cache(maxsize=2)
def helplines(path: Path = FILE) -> Helplines:
    """All rows, read once. Raises HelplineError."""
    try:
        return Helplines.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise HelplineError(f"{path.name}: {error}") from None


def verified_on(row: Row) -> date | None:
    """The last verification known, the operator's own first."""
    return _verified.get(row.id, row.verified_on)


def age_of(row: Row, today: date) -> Age:
    """Fresh for 90 days, then old (a warning), after 180 days expired (no new sign-ups)."""
    checked = verified_on(row)
    if checked is None:
        return "never"
    days = (today - checked).days
    if days > STOP_DAYS:
        return "expired"
    return "old" if days > WARN_DAYS else "fresh"


def old_lines(today: date) -> tuple[Row, ...]:
    """Rows verified once and not for 90 days: /ready warns about them."""
    return tuple(row for row in helplines().lines if age_of(row, today) in {"old", "expired"})


def signups_stopped(country: str, today: date) -> bool:
    """True where a verified row of the country has passed 180 days and none is fresher."""
    ages = [age_of(row, today) for row in _of_country(country)]
    known = [age for age in ages if age != "never"]
    return bool(known) and all(age == "expired" for age in known)


def region_ready(country: str, *, production: bool, today: date) -> bool:
    """R9: is there a crisis protocol for this country: an emergency number, and a line that may be shown?"""
    try:
        rows = [row for row in _of_country(country) if _may_show(row, production)]
        return emergency_of(country) != ANY_EMERGENCY and (bool(rows) or not production)
    except HelplineError:
        return False


def _code(country: str) -> str:
    code = country.strip().upper().partition("-")[0]
    return "GB" if code == "UK" else code


def _of_country(country: str) -> list[Row]:
    code = _code(country)
    return [row for row in helplines().lines if _code(row.country) == code]


def emergency_of(country: str, *, police: bool = False) -> str:
    """The emergency number of a country ("US" or "US-CA"); 112 in the EU, both big ones where nothing is known."""
    try:
        table = {_code(name): row for name, row in helplines().emergency.items()}
    except HelplineError:
        return ANY_EMERGENCY
    code = _code(country)
    row = table.get(code) or (table.get("EU") if code in EU else None)
    if row is None:
        return ANY_EMERGENCY
    return row.police if police and row.police else row.number


def _may_show(row: Row, production: bool) -> bool:
    return row.id not in _wrong and (not production or verified_on(row) is not None)


def open_at(row: Row, now: datetime) -> bool | None:
    """Is the line open? None where the hours are only told in words."""
    if row.always:
        return True
    if not row.windows or row.time_zone is None:
        return None
    local = now.astimezone(ZoneInfo(row.time_zone))
    clock = f"{local.hour:02d}:{local.minute:02d}"
    for window in row.windows:
        late = window.until <= window.opens
        today, before = local.weekday() in window.days, (local.weekday() - 1) % 7 in window.days
        if today and (window.opens <= clock if late else window.opens <= clock < window.until):
            return True
        if late and before and clock < window.until:
            return True
    return False


def lines_for(
    country: str, language: Language, categories: Iterable[str], *, now: datetime, production: bool, most: int
) -> tuple[CardLine, ...]:
    """Rows for a card: the country's, then Europe's, then the world's; by category, language, open now, text first."""
    wanted = list(categories)
    try:
        rows = _candidates(country, wanted, production)
    except HelplineError:
        return ()
    spoken = _LANGUAGE[language]

    def rank(row: Row) -> tuple[int, int, int, int]:
        category = min((wanted.index(kind) for kind in row.categories if kind in wanted), default=len(wanted))
        speaks = 0 if spoken in row.languages or "all" in row.languages else 1
        return speaks, category, {True: 0, None: 1, False: 2}[open_at(row, now)], 0 if row.text else 1

    return tuple(_card_line(row, language) for row in sorted(rows, key=rank)[:most])


def _candidates(country: str, wanted: list[str], production: bool) -> list[Row]:
    shown = [row for row in _of_country(country) if _may_show(row, production)]
    fitting = [row for row in shown if set(row.categories).intersection(wanted)]
    # Where the country has nothing for this category, its other lines are better than none.
    rows = fitting or shown
    if _code(country) in EU and len(rows) < 2:
        rows = rows + [
            row for row in helplines().lines
            if row.country == "EU" and _may_show(row, production) and set(row.categories).intersection(wanted)
        ]  # fmt: skip
    return rows


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Mapping[str, str]]:
    """English words of the rows by language. Empty where the file can't be read: a number in English is still help."""
    try:
        given: dict[str, dict[str, str]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return given


def told_in(language: Language, told: str) -> str:
    """Hours, or how to write, in the words of a language; names, numbers and keywords stay as they are."""
    words = _words().get(language)
    if not words:
        return told
    longest = "|".join(re2.escape(word) for word in sorted(words, key=len, reverse=True))
    return str(re2.sub(rf"\b(?:{longest})\b", lambda match: words[match.group()], told))


def _card_line(row: Row, language: Language) -> CardLine:
    checked = verified_on(row)
    return CardLine(
        id=row.id,
        name=row.name,
        phone=row.phone,
        text=told_in(language, row.text) if row.text else None,
        web=row.web,
        hours=told_in(language, row.hours),
        unverified=checked is None,
        verified_on=checked.isoformat() if checked else None,
    )
