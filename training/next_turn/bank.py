"""What else the bank and its readers teach: which messages say the same, and which lines made sense after what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from companion.bank import Bank, Exchange, bank_load
from companion.engines.embedded.next_turn import BEFORE
from companion.types import LANGUAGES, Language
from training.choosing.places import places
from training.next_turn.dialogues import spoken
from training.talks import Talk, talks, teaches_what_follows

FEW: Final = 3  # ways to say a thing of which none is kept back
HELD: Final = 0.03


@dataclass(frozen=True)
class Way:
    """One way to say what an exchange answers."""

    text: str
    exchange: str
    language: Language
    held: bool


@dataclass(frozen=True)
class Marked:
    """before: what was said, oldest first. lines: what might answer the last of it, each with a reader's mark: 0 no
    sense, 1 sensible, 2 specific too."""

    before: tuple[str, ...]
    lines: tuple[str, ...]
    marks: tuple[int, ...]
    language: Language
    held: bool


def ways_said() -> Iterator[Way]:
    for language in LANGUAGES:
        level: list[Exchange] = list(bank_load(language).exchanges)
        while level:
            for exchange in level:
                for text in exchange.said:
                    held = len(exchange.said) >= FEW and _share(f"{language} {text}") < HELD
                    yield Way(text, f"{language} {exchange.id}", language, held)
            level = [follow for exchange in level for follow in exchange.then]


def _share(text: str) -> float:
    return int.from_bytes(hashlib.sha256(f"way {text}".encode()).digest()[:4]) / 2**32


def places_marked() -> Iterator[Marked]:
    by_id = {talk.id: talk for talk in talks()}
    for language in LANGUAGES:
        bank = bank_load(language)
        for place in places(bank):
            if place.talk in by_id and len(place.marks) > 1:
                yield _marked(by_id[place.talk], place.at, place.marks, bank)


def _marked(talk: Talk, at: int, marks: Mapping[str, int], bank: Bank) -> Marked:
    said = [line for turn in talk.turns[:at] for line in (turn.text, turn.reply)]
    lines = tuple(spoken(bank.lines[line_id].text) for line_id in marks)
    before = (*said[-BEFORE:], talk.turns[at].text)
    return Marked(before, lines, tuple(marks.values()), bank.language, not teaches_what_follows(talk.id))
