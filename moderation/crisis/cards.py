"""The helpline card: rows from helplines.py, words from cards/<lang>.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.crisis.helplines import FALLBACK, LINES_FULL, LINES_SHORT, HelpCard, emergency_of, lines_for
from moderation.types import Language

FOLDER: Final = Path(__file__).resolve().parent / "cards"


class CardError(Exception):
    """The card's words of a language can't be used."""


class CardWords(BaseModel):
    """cards/<lang>.yaml"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    language: Language
    author: str
    reviewer: str | None
    reviewed_on: date | None
    title: str
    full: tuple[str, ...] = Field(min_length=2)
    short: tuple[str, ...] = Field(min_length=2)
    labels: dict[str, str]


@lru_cache(maxsize=8)
def words_of(language: Language, folder: Path = FOLDER) -> CardWords:
    """The card's words. Raises CardError."""
    path = folder / f"{language}.yaml"
    try:
        return CardWords.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise CardError(f"{path.name}: {error}") from None


def help_card(
    country: str,
    language: Language,
    categories: Iterable[str] = ("S", "C"),
    *,
    now: datetime,
    production: bool,
    shown: int = 0,
    police: bool = False,
) -> HelpCard:
    """The card for a country. `categories` are kinds of lines (S C A E L X O); `shown`: cards shown before this one.

    The first card has all its lines; later ones are short, and none repeats one of the last. Never fails: without words
    of its own it shows emergency number and lines alone.
    """
    emergency = emergency_of(country, police=police)
    most = LINES_SHORT if shown else LINES_FULL
    lines = lines_for(country, language, categories, now=now, production=production, most=most)
    words = _words(language)
    if words is None:
        return HelpCard(emergency, emergency, emergency, lines)
    # The full words once, then the short ones, then what is left of the full ones: no card repeats one of the last.
    bodies = (words.full[0], *words.short, *words.full[1:])
    body = bodies[shown % len(bodies)].replace("{emergency}", emergency)
    return HelpCard(words.title, body, emergency, lines, FALLBACK, words.labels)


def _words(language: Language) -> CardWords | None:
    candidates: tuple[Language, ...] = (language, "en")
    for candidate in candidates:
        try:
            return words_of(candidate)
        except CardError:
            continue
    return None
