"""What a teen and their companion made together, and what skills kept, as pages and copies tell it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chatbot.accounts.models import User
from chatbot.chat.playing import skills
from chatbot.chat.skill_list import page_language, skill_title
from companion.folding import plain
from companion.play import services as play

CHOSEN = "- "
# What makes a story, a word and a check-in; and where the last two stand in what a skill kept.
STORIES, WORDS, MOODS = "story", ("teach_word", "words"), ("mood_checkin", "days")


@dataclass(frozen=True)
class Part:
    """A paragraph of a story, or what the teen chose in it."""

    text: str
    chosen: bool


@dataclass(frozen=True)
class Story:
    """Something that was made, to be read."""

    id: uuid.UUID
    title: str
    parts: tuple[Part, ...]
    at: datetime

    @property
    def first(self) -> str:
        """How it begins."""
        return next((part.text for part in self.parts if not part.chosen), "")


@dataclass(frozen=True)
class Word:
    """A word that was taught."""

    word: str
    meaning: str


@dataclass(frozen=True)
class Face:
    """One check-in: the emoji, a word for it, the day (None: not known)."""

    emoji: str
    word: str
    day: date | None


def stories_of(person: User) -> list[Story]:
    """Oldest first. Words stand in the dictionary instead."""
    rows = play.shelf_of(person.id)
    return [Story(row.id, row.title, _parts(row.text), row.at) for row in rows if row.kind != play.WORD]


def _parts(text: str) -> tuple[Part, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(Part(line.removeprefix(CHOSEN), line.startswith(CHOSEN)) for line in lines if line)


def words_of(person: User) -> list[Word]:
    """The private dictionary, in order."""
    skill, part = WORDS
    rows = play.kept_of(person.id).get(skill, {}).get(part, [])
    return sorted((Word(row["word"], row["meaning"]) for row in rows), key=lambda row: plain(row.word))


def faces_of(person: User) -> list[Face]:
    """The check-ins, oldest first. One whose mood isn't known any more has no face, and is left out."""
    skill, part = MOODS
    known, rows = skills().faces(page_language()), play.kept_of(person.id).get(skill, {}).get(part, [])
    return [Face(*known[row["mood"]], _day(row["day"])) for row in rows if row["mood"] in known]


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


@dataclass(frozen=True)
class Told:
    """What one skill kept, a line for each thing."""

    title: str
    lines: tuple[str, ...]


def kept_told(person: User) -> list[Told]:
    """All that skills kept about this person, and where games stand: whatever shape a skill gave it."""
    left = play.left_of(person.id).items()
    rows = [Told(skill_title(name), (*_kept(person, name, one), *_lines(one["stands"] or {}))) for name, one in left]
    return [row for row in rows if row.lines]


def _kept(person: User, name: str, left: dict[str, Any]) -> Iterator[str]:
    if name == MOODS[0]:
        yield from (f"{face.day or ''} {face.emoji} {face.word}".strip() for face in faces_of(person))
    else:
        yield from _lines(left["kept"])


def _lines(given: dict[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            yield from (_flat(one) for one in value)
        elif value not in ("", None, [], {}):
            yield f"{name}: {_flat(value)}"


def _flat(value: Any) -> str:
    """A value of JSON in one line."""
    if isinstance(value, dict | list):
        parts = (_flat(one) for one in (value.values() if isinstance(value, dict) else value))
        return " · ".join(part for part in parts if part)
    return "" if value is None else str(value)
