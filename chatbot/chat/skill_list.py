"""The skills as pages list them, in the language of the page."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language

from chatbot.chat.playing import skills
from companion.folding import plain
from companion.skills.lines import chosen
from companion.types import LANGUAGES, Language

STARTERS = 3


@dataclass(frozen=True)
class Listed:
    """One skill: what it is called, and what it is, in one line. language: of both, where it is not the page's."""

    name: str
    title: str
    about: str
    language: Language | None

    @property
    def language_name(self) -> str:
        """As its own speakers call it; empty where it is the page's."""
        return "" if self.language is None else str(dict(settings.LANGUAGES)[self.language.lower()])


def page_language() -> Language:
    """The language of the page; English for one that the companion doesn't speak."""
    code = (get_language() or "").lower()
    return next((language for language in LANGUAGES if language.lower() == code), "en")


def skills_listed() -> list[Listed]:
    """All of this process by title, those that don't speak the page's language last."""
    known, language = skills(), page_language()
    rows = []
    for name in known.names():
        spoken = known.spoken(name, language)
        other = None if spoken == language else spoken
        rows.append(Listed(name, known.title(name, language), known.about(name, language), other))
    return sorted(rows, key=lambda row: (row.language is not None, plain(row.title)))


@dataclass(frozen=True)
class Offer:
    """A skill as the chat offers it, in the chat's language. say: the words that ask for it."""

    name: str
    title: str
    about: str
    say: str
    game: bool


def skills_offered(language: Language, *, off: frozenset[str], plain_mode: bool, grave: bool) -> list[Offer]:
    """What somebody may have now, games first. off: switched off. grave: only what may answer a low message."""
    found = (skills().skill(name) for name in skills().names() if name not in off)
    cards = [one.card for one in found if one is not None and language in one.card.languages]
    may = [card for card in cards if (card.plain or not plain_mode) and (card.low or not grave)]
    rows = [
        Offer(card.name, own.title, own.about, own.chip, card.game)
        for card in may
        for own in [card.languages[language]]
    ]
    return sorted(rows, key=lambda row: (not row.game, plain(row.title)))


def starters(offers: list[Offer], seed: str) -> list[str]:
    """A few games to begin with, by what asks for them; others with another seed."""
    free, found = [row.say for row in offers if row.game], list[str]()
    while free and len(found) < STARTERS:
        found.append(chosen(free, f"{seed}/{len(found)}"))
        free.remove(found[-1])
    return found


def skill_title(name: str) -> str:
    """What it is called; its name, where there is no such skill any more."""
    return skills().title(name, page_language()) if name in skills().names() else name


def skill_chip(name: str, language: Language) -> str | None:
    """The words that ask for it in a chat in that language, which need not be the page's; None where there is no such
    skill."""
    return skills().chip(name, language) if name in skills().names() else None
