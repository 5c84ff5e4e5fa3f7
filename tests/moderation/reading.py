"""The sentences of tests/moderation/sets, and ways to put them through the real screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from moderation.crisis.texts import FOLDER
from moderation.screen import Screen
from moderation.types import LANGUAGES, Language, Screening, WatchState

SETS: Final = Path(__file__).resolve().parent / "sets"
NOW: Final = datetime(2026, 11, 24, 15, tzinfo=UTC)
# Languages whose written answers are there. The others are answered in English until then.
WRITTEN: Final = tuple(language for language in LANGUAGES if (FOLDER / f"{language}.yaml").exists())


@cache
def screen() -> Screen:
    return Screen()


def screen_with(**parts: Any) -> Screen:
    """A screen of its own, with the rules that were read already: they take half a second."""
    return Screen(rules=screen().rules, signals=screen().signals, **parts)


@cache
def sentences(language: Language) -> dict[str, Any]:
    """The sets of a language: danger, harmless and goodbyes, by kind."""
    loaded: dict[str, Any] = yaml.load((SETS / f"{language}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@cache
def replies(language: Language) -> dict[str, list[str]]:
    """What a companion must never say, by promise."""
    path = SETS / "replies" / f"{language}.yaml"
    loaded: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))["bad"]
    return loaded


def checked(text: str, language: Language, watch: WatchState | None = None, *, at: datetime = NOW) -> Screening:
    """One message of a thirteen-year-old through the full screen."""
    return screen().check_message(text, band="13-15", language=language, watch=watch or WatchState(), now=at)


@dataclass(frozen=True)
class Goodbye:
    """A goodbye, and what was said before it."""

    before: tuple[str, ...]
    text: str


def goodbyes(language: Language, kind: str) -> list[Goodbye]:
    """The goodbyes of a kind: ordinary, after_one_low_message or danger."""
    return [
        Goodbye((), row) if isinstance(row, str) else Goodbye(tuple(row["before"]), row["text"])
        for row in sentences(language)["goodbyes"][kind]
    ]


def talked(lines: Iterable[str], language: Language) -> Screening:
    """The screening of the last of these lines, said a minute apart."""
    watch, found = WatchState(), None
    for number, line in enumerate(lines):
        found = checked(line, language, watch, at=NOW + timedelta(minutes=number))
        watch = found.watch
    assert found is not None
    return found
