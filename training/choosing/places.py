"""Judged places: a message of a held talk, with lines that might have answered it and what a reader made of each.

`judged/<language>.tsv`, a place a line: the talk and the number of the turn, then `line id#words=mark` for each line.
The words are a hash of the line's: of a line that was written anew the old marks are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.answered import Lines
from chatbot.core.encoder import encode
from companion.bank import Bank, BankLine
from companion.engines.embedded.engine import EmbeddedEngine
from companion.engines.embedded.mind import Turn
from companion.types import Language, Line, Prompt
from training.talks import Talk

FOLDER: Final = Path(__file__).parent / "judged"
MARKS: Final = frozenset("012")


class PlaceError(Exception):
    """A place can't be read: which file, which line, and why."""


@dataclass(frozen=True)
class Judged:
    """marks: by the line's id; 0 no sense, 1 sensible, 2 sensible and specific."""

    talk: str
    at: int
    marks: Mapping[str, int]


def words_of(line: BankLine) -> str:
    return hashlib.blake2b(line.text.encode(), digest_size=4).hexdigest()


def written(place: Judged, bank: Bank) -> str:
    marks = (f"{line_id}#{words_of(bank.lines[line_id])}={mark}" for line_id, mark in place.marks.items())
    return "\t".join((f"{place.talk}/{place.at}", *marks))


def places(bank: Bank, folder: Path = FOLDER) -> Iterator[Judged]:
    """Those of the bank's language, without the marks of lines that it no longer has in these words. Raises
    PlaceError."""
    path = folder / f"{bank.language}.tsv"
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
        where, *given = row.split("\t")
        talk, _, at = where.rpartition("/")
        marks = {}
        for one in given:
            line_id, _, rest = one.rpartition("#")
            words, _, mark = rest.partition("=")
            if mark not in MARKS or not line_id:
                raise PlaceError(f"{path.name}:{number}: wanted is `line id#words=mark`, not {one!r}")
            if line_id in bank.lines and words_of(bank.lines[line_id]) == words:
                marks[line_id] = int(mark)
        if not talk or not at.isdecimal():
            raise PlaceError(f"{path.name}:{number}: wanted is a talk and a turn, not {where!r}")
        yield Judged(talk, int(at), marks)


class Replayed:
    """Turns of held talks as the engine reads them today."""

    def __init__(self, engine: EmbeddedEngine, bank: Bank) -> None:
        self._engine, self._lines, self._language = engine, Lines(bank), bank.language
        self._of: dict[str, str | None] = {}

    async def turn(self, talk: Talk, at: int, *, seed: int = 0) -> Turn:
        return await self._engine.turn(self.prompt(talk, at, seed=seed))

    def prompt(self, talk: Talk, at: int, *, seed: int) -> Prompt:
        history = tuple(
            line
            for turn in talk.turns[:at]
            for line in (Line("user", turn.text), Line("companion", turn.reply, line_id=self._line_id(turn.reply)))
        )
        text, low = talk.turns[at].text, talk.turns[at].action != "allow"
        vector = encode([text])[0].vector
        language: Language = self._language
        return Prompt(text, language, "13-15", history=history, vector=vector, low=low, seed=seed)

    def _line_id(self, said: str) -> str | None:
        if said not in self._of:
            owner = self._lines.owner(said)
            self._of[said] = owner[0] if owner is not None else None
        return self._of[said]
