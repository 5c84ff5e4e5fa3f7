"""When something is: the day that a phrase means, counted from the local day on which it was said. Pure.

A phrase that names no day ("next month", "the 32nd", "31 February") is found too, so that it can be cut off what it
stands beside, but it has no day: a wrong date is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import re2
import yaml
from pydantic import BaseModel, ConfigDict

from companion.memory.text import flat, fold
from companion.types import Language

FURTHEST = 3  # years: who names a later one is joking
SATURDAY = 5


@dataclass(frozen=True)
class When:
    """A phrase about time, where it stands in the text, and its day where it names one. again: "on tuesdays"."""

    start: int
    end: int
    day: date | None
    again: bool = False


class _Tables(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weekdays: list[str]
    months: list[str]
    numbers: list[str]
    rules: list[tuple[str, str]]
    date_said: str
    day_said: str
    weekdays_said: list[str]
    months_said: list[str]
    lately_said: list[str]
    weekdays_on: list[str]
    date_on: str


@dataclass(frozen=True)
class _Reader:
    tables: _Tables
    rules: tuple[tuple[str, Any], ...]
    values: tuple[tuple[str, tuple[Any, ...]], ...]

    def number(self, name: str, text: str) -> int:
        """The place (from 0) of a weekday, a month or a number among those of the language."""
        patterns = dict(self.values)[name]
        return next(place for place, pattern in enumerate(patterns) if pattern.fullmatch(fold(text)))


@cache
def _all_tables() -> dict[str, _Tables]:
    content = (Path(__file__).parent / "words" / "dates.yaml").read_bytes()
    read = yaml.load(content, Loader=yaml.CSafeLoader)
    return {language: _Tables.model_validate(given) for language, given in read.items()}


@cache
def _reader(language: Language) -> _Reader:
    tables = _all_tables()[language]
    one_of = {name: "|".join(getattr(tables, f"{name}s")) for name in ("weekday", "month", "number")}
    parts = {
        "<weekday>": f"(?P<weekday>{one_of['weekday']})",
        "<weekday2>": f"(?:{one_of['weekday']})",
        "<weekday3>": f"(?:{one_of['weekday']})",
        "<month>": f"(?P<month>{one_of['month']})",
        "<n>": f"(?P<n>{one_of['number']}|\\d{{1,3}})",
        "<n2>": f"(?P<n2>{one_of['number']}|\\d{{1,3}})",
        "<day>": r"(?P<day>\d{1,2})",
        "<day2>": r"(?P<day2>\d{1,2})",
        "<first>": r"(?P<first>\d{1,2})",
        "<second>": r"(?P<second>\d{1,2})",
        "<year>": r"(?P<year>\d{4}|\d{2})",
    }
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    rules = [(means, re2.compile(rf"\b(?:{_filled(pattern, parts)})\b", options)) for means, pattern in tables.rules]
    values = tuple(
        (name, tuple(re2.compile(one) for one in getattr(tables, f"{name}s")))
        for name in ("weekday", "month", "number")
    )
    return _Reader(tables, tuple(rules), values)


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        # A group has a name once: a second one of the same word only has to be there.
        unnamed = re2.sub(r"^\(\?P<\w+>", "(?:", part)
        before, found, after = pattern.partition(name)
        pattern = before + part + after.replace(name, unnamed) if found else before
    return pattern


def times_in(text: str, said: date | None, language: Language) -> tuple[When, ...]:
    """The phrases about time in a text, in order. Without the day on which it was said none has a day."""
    bare = flat(text)
    reader = _reader(language)
    found: list[When] = []
    taken: list[When] = []  # what only looks like a day: "segunda fase"
    for means, pattern in reader.rules:
        for match in pattern.finditer(bare):
            if all(match.end() <= one.start or match.start() >= one.end for one in found):
                groups = {name: value for name, value in match.groupdict().items() if value is not None}
                day = None if said is None else _day(means, groups, said, reader)
                found.append(When(match.start(), match.end(), day, means == "routine"))
                taken += found[-1:] if means == "none" else []
    return tuple(sorted((one for one in found if one not in taken), key=lambda one: one.start))


def day_in_words(day: date, language: Language, *, weekday: bool = True) -> str:
    """The day as that language says it, with its weekday or without."""
    tables = _all_tables()[language]
    said = tables.date_said if weekday else tables.day_said
    return said.format(
        weekday=tables.weekdays_said[day.weekday()], day=day.day, month=tables.months_said[day.month - 1]
    )


def when_in_words(day: date, today: date, language: Language) -> str:
    """When that was, as one says it of the last days: "yesterday", "on Saturday", "on 3 May"."""
    tables, ago = _all_tables()[language], (today - day).days
    if 0 <= ago < len(tables.lately_said):
        return tables.lately_said[ago]
    if 0 <= ago < len(tables.weekdays_on):
        return tables.weekdays_on[day.weekday()]
    return tables.date_on.format(day=day_in_words(day, language, weekday=False))


def _day(means: str, groups: dict[str, str], said: date, reader: _Reader) -> date | None:
    kind, _, count = means.partition(" ")
    try:
        if kind == "days":
            return said + timedelta(days=int(count))
        if kind in ("weekday", "this_weekday", "weekday_next"):
            place = SATURDAY if "weekday" not in groups else reader.number("weekday", groups["weekday"])
            return _weekday(kind, place, said)
        if kind in ("weekend", "weekend_next"):
            # On a Sunday "this weekend" is that day.
            return said if kind == "weekend" and said.weekday() > SATURDAY else _weekday(kind, SATURDAY, said)
        if kind in ("in_days", "in_weeks"):
            many = groups.get("n") or groups["n2"]
            number = int(many) if many.isdigit() else reader.number("number", many) + 1
            return said + timedelta(days=number * (7 if kind == "in_weeks" else 1))
        return _numbered(kind, groups, said, reader)
    except (ValueError, OverflowError, StopIteration):
        return None


def _weekday(kind: str, weekday: int, said: date) -> date:
    """The coming one; with "next" that of the week after this; "this friday" may be today."""
    if kind.endswith("next"):
        return said + timedelta(days=7 - said.weekday() + weekday)
    ahead = (weekday - said.weekday()) % 7
    return said + timedelta(days=ahead or (7 if kind == "weekday" else 0))


def _numbered(kind: str, groups: dict[str, str], said: date, reader: _Reader) -> date | None:
    if kind == "nth":
        return _coming((date_ for date_ in _nths(int(groups.get("day") or groups["day2"]), said)), said)
    if kind == "date":
        day, month = int(groups["day"]), reader.number("month", groups["month"]) + 1
    elif kind == "slashes":
        day, month = int(groups["first"]), int(groups["second"])
        if month > 12 >= day:  # only so it is a date
            day, month = month, day
    else:
        return None
    if "year" in groups:
        year = int(groups["year"]) + (2000 if len(groups["year"]) == 2 else 0)
        return date(year, month, day) if said.year <= year <= said.year + FURTHEST else None
    # Said without a year, a day of this month that has passed is more likely over than a year away, but it is a plan.
    return _coming(_of_years(day, month, said), said)


def _coming(days: Iterator[date], said: date) -> date | None:
    return next((day for day in days if day >= said), None)


def _of_years(day: int, month: int, said: date) -> Iterator[date]:
    for year in range(said.year, said.year + FURTHEST + 1):
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _nths(day: int, said: date) -> Iterator[date]:
    for ahead in range(13):
        month = said.month - 1 + ahead
        try:
            yield date(said.year + month // 12, month % 12 + 1, day)
        except ValueError:
            continue
