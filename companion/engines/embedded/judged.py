"""What readers said of the bank's lines: in which places of which talks a line made sense, and how often.

A place is a message in a held talk, with the lines that might have answered it, each marked by somebody who read it
there: 0 no sense, 1 sensible, 2 sensible and specific to it. A line is known by its words, so one that is written anew
starts anew. Nothing of the talks' words is kept, only a vector of the message and what it does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder import Floats
from companion.bank import BankLine, Exchange
from companion.types import Language

Keys = npt.NDArray[np.uint64]
SHARE_OF: Final = 4.0  # marks that the wider group counts for beside a line's own
DOES_SHARE: Final = 2.0  # ... beside those of messages that do the same
NEARNESS: Final = 0.15  # how near two messages are: e times less for so much less of the cosine
NEAR_LEAST: Final = 0.02
LEAST: Final = 0.005


def key_of(language: Language, words: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{language} {words}".encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Place:
    """Of the message: what it does, (14,) likelihoods, and its vector, (384,) of unit length. at: its number among the
    judged ones, whose own marks are then left out; -1 for a new one."""

    language: Language
    does: Floats
    vector: Floats
    at: int = -1


@dataclass(frozen=True)
class Marks:
    """Of one line or exchange: which places, and 1 where it made sense there."""

    places: npt.NDArray[np.int32]
    sensible: Floats


NONE: Final = Marks(np.zeros(0, np.int32), np.zeros(0, np.float32))


class Judged:
    """given: `line`, `exchange` (marks,) keys, `place` (marks,), `mark` (marks,) 0 to 2, `does` (places, 14),
    `vector` (places, 384) in 8 bits, `usual` (languages,): how often a line made sense in each. Raises KeyError."""

    def __init__(self, given: Mapping[str, Any], languages: tuple[Language, ...]) -> None:
        self._place = given["place"].astype(np.int32)
        self._sensible = (given["mark"] > 0).astype(np.float32)
        self._does = given["does"].astype(np.float32)
        vectors = given["vector"].astype(np.float32)
        self._vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        self._usual = dict(zip(languages, given["usual"].tolist(), strict=True))
        self._of_line = self._grouped(given["line"])
        self._of_exchange = self._grouped(given["exchange"])

    def _grouped(self, keys: Keys) -> dict[int, Marks]:
        if not len(keys):
            return {}
        order = np.argsort(keys, kind="stable")
        own, first = np.unique(keys[order], return_index=True)
        parts = np.split(order, first[1:])
        return {int(key): Marks(self._place[rows], self._sensible[rows]) for key, rows in zip(own, parts, strict=True)}

    def at(self, place: Place) -> Said:
        return Said(self, place)

    def marks(self, line: BankLine, language: Language) -> Marks:
        return self._of_line.get(key_of(language, line.text), NONE)

    def marks_of_all(self, exchange: Exchange, language: Language) -> Marks:
        return self._of_exchange.get(key_of(language, exchange.id), NONE)

    def usual(self, language: Language) -> float:
        found: float = self._usual[language]
        return found

    def same(self, place: Place) -> Floats:
        """(places,): how far each does the same."""
        found: Floats = self._does @ place.does
        return found

    def near(self, place: Place) -> Floats:
        """(places,): how near each message is."""
        found: Floats = np.exp((self._vectors @ place.vector - 1) / NEARNESS)
        return found


class Said:
    """What was said of lines, as it counts in one place."""

    def __init__(self, judged: Judged, place: Place) -> None:
        self._judged, self._place = judged, place
        self._usual = judged.usual(place.language)
        self._same, self._near = judged.same(place), judged.near(place)
        self._wide: dict[str, _Found] = {}

    def of(self, line: BankLine, exchange: Exchange) -> list[float]:
        """Log-odds that the line makes sense, after what was said of it, of its exchange, and of both after messages
        that do the same; how often each was judged (logarithms); and how much more sense than usual they made after
        messages near to this one. Eight numbers."""
        wide = self._wide.get(exchange.id)
        if wide is None:
            wide = self._wide[exchange.id] = self._found(self._judged.marks_of_all(exchange, self._place.language))
        own = self._found(self._judged.marks(line, self._place.language))
        of_wide = _share(wide.sensible, wide.count, SHARE_OF, self._usual)
        of_own = _share(own.sensible, own.count, SHARE_OF, of_wide)
        does_wide = _share(wide.same_sensible, wide.same, DOES_SHARE, of_wide)
        does_own = _share(own.same_sensible, own.same, DOES_SHARE, (of_own + does_wide) / 2)
        return [
            _odds(of_own),
            _odds(of_wide),
            _odds(does_own),
            math.log1p(own.count),
            math.log1p(wide.count),
            _odds(does_wide),
            own.near,
            wide.near,
        ]

    def _found(self, marks: Marks) -> _Found:
        if not len(marks.places):
            return _NOTHING
        places, sensible = marks.places, marks.sensible
        if self._place.at >= 0:
            kept = places != self._place.at
            places, sensible = places[kept], sensible[kept]
        same, near = self._same[places], self._near[places]
        most = float(near @ (sensible - self._usual)) / (float(near.sum()) + NEAR_LEAST)
        return _Found(float(sensible.sum()), float(len(places)), float(same @ sensible), float(same.sum()), most)


@dataclass(frozen=True, slots=True)
class _Found:
    """Marks of a line or an exchange: how many made sense of how many, the same weighed by what messages do, and how
    much more sense than usual it made near to here."""

    sensible: float = 0.0
    count: float = 0.0
    same_sensible: float = 0.0
    same: float = 0.0
    near: float = 0.0


_NOTHING: Final = _Found()


def _share(found: float, count: float, beside: float, expected: float) -> float:
    return (found + beside * expected) / (count + beside)


def _odds(share: float) -> float:
    held = min(max(share, LEAST), 1 - LEAST)
    return math.log(held / (1 - held))
