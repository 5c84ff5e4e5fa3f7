"""The turns of talks that are indexed: who said them, when, and what stands around them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.values import Floats
from companion.memory.facts import fold
from companion.memory.terms import NUMBERS, REASONS, TIMES, words_of

BREAK_S: Final = 3600.0  # a longer pause begins another session
SHORTEST_NICKNAME: Final = 3
# What a turn's text looks like. names: capital letters inside the sentence.
SHAPE: Final = ("length", "asks", "mentions_question", "names", "number", "time", "place", "reason")
_BEFORE_PLACES: Final = frozenset("in at from to near em no na de desde en a à au aux près".split())
_I: Final = frozenset(("I", "I'm", "I've", "I'd", "I'll"))

Places = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Said:
    """Of one turn. at: ISO 8601; what can't be read is as if it weren't there. bare: the vector of the text without its
    speaker's name."""

    who: str = ""
    at: str = ""
    bare: Floats | None = None


@dataclass(frozen=True)
class Named:
    """A question's words without the names of those who talk, and who they are."""

    words: tuple[str, ...]
    who: frozenset[int]


class Talk:
    """Grows with the index. Documents come in the order in which they were said."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._names: dict[str, int] = {}
        self._people: dict[str, int] = {}  # the same by names as they were written
        self._shapes = np.zeros((0, len(SHAPE)), np.float32)  # a row is filled when its turn is first a candidate
        self._known = np.zeros(0, np.bool_)
        self._bounds: Places | None = None
        self.who = np.zeros(0, np.int32)  # -1: nobody said it, it is a fact
        self.at = np.zeros(0, np.float64)  # seconds, or not a number
        self.session = np.zeros(0, np.int32)
        self.asks = np.zeros(0, np.bool_)  # it ends in a question

    def add(self, texts: Sequence[str], said: Sequence[Said | None]) -> None:
        at = np.array([_seconds(one.at) if one else math.nan for one in said], np.float64)
        who = np.array([self._person(one.who) if one else -1 for one in said], np.int32)
        before = self.at[-1:] if len(self.at) else at[:1]
        pause = np.diff(np.concatenate([before, at]))
        begins = np.where(np.isnan(pause), False, np.abs(pause) > BREAK_S)
        last = int(self.session[-1]) if len(self.session) else 0
        self.session = np.concatenate([self.session, last + np.cumsum(begins).astype(np.int32)])
        self.at, self.who = np.concatenate([self.at, at]), np.concatenate([self.who, who])
        self.asks = np.concatenate([self.asks, np.array([text.rstrip().endswith("?") for text in texts], np.bool_)])
        self._texts.extend(texts)
        self._bounds = None

    @property
    def spoken(self) -> bool:
        return bool(self._names)

    def named(self, question: str) -> Named:
        """Friends are called by the beginning of their names as well, with a capital letter."""
        who: set[int] = set()
        kept: list[str] = []
        for token in question.split():
            words = words_of(token)
            people = {person for word in words for person in self._called(word, capital=token[:1].isupper())}
            who |= people
            kept.extend([] if people else words)
        return Named(tuple(kept), frozenset(who))

    def shapes(self, places: Places) -> Floats:
        """(turns, numbers), in the order of SHAPE."""
        if len(self._known) < len(self._texts):
            room = max(len(self._texts), 2 * len(self._known))
            shapes, known = np.zeros((room, len(SHAPE)), np.float32), np.zeros(room, np.bool_)
            shapes[: len(self._shapes)], known[: len(self._known)] = self._shapes, self._known
            self._shapes, self._known = shapes, known
        new = places[~self._known[places]]
        if len(new):
            self._shapes[new] = [_shape(self._texts[place]) for place in new.tolist()]
            self._known[new] = True
        return np.asarray(self._shapes[places], np.float32)

    def calls(self, words: set[str], places: Places) -> Truths:
        """Whether one of the words is in these turns."""
        return np.array([_has_any(self._texts[place], words) for place in places.tolist()], np.bool_)

    def neighbours(self, places: Places, by: int) -> tuple[Places, Truths]:
        """The turns so many after these, and whether they are of the same session."""
        other = np.clip(places + by, 0, len(self.session) - 1)
        return other, (other == places + by) & (self.session[other] == self.session[places])

    def lent(self, scores: Floats) -> Floats:
        """What the turn before each one has, if it is of the same session."""
        found = np.zeros_like(scores)
        found[1:] = scores[:-1] * (self.session[1:] == self.session[:-1])
        return found

    def best_of_session(self, scores: Floats, places: Places) -> Floats:
        """The highest score in the session of each of these."""
        if self._bounds is None:
            self._bounds = np.concatenate([[0], np.flatnonzero(np.diff(self.session)) + 1])
        best = np.maximum.reduceat(scores, self._bounds)
        return np.asarray(best[self.session[places]], np.float32)

    def _person(self, name: str) -> int:
        found = self._people.get(name)
        if found is None:
            folded = fold(name)
            found = self._names.setdefault(folded, len(self._names)) if folded else -1
            self._people[name] = found
        return found

    def _called(self, word: str, *, capital: bool) -> list[int]:
        return [
            person
            for name, person in self._names.items()
            if word in name.split()
            or (capital and len(word) >= SHORTEST_NICKNAME and any(part.startswith(word) for part in name.split()))
        ]


@lru_cache(maxsize=1 << 10)
def _seconds(at: str) -> float:
    try:
        read = datetime.fromisoformat(at)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return math.nan


def _has_any(text: str, words: set[str]) -> bool:
    lower = text.lower()
    if text.isascii() and not any(word in lower for word in words):
        return False  # most of them, without being read word by word
    return not words.isdisjoint(words_of(text))


def _shape(text: str) -> tuple[float, ...]:
    words = words_of(text)
    digits = [word for word in words if word[0] <= "9"]
    names, place = 0, False
    for before, after in itertools.pairwise(text.split()):
        if after[0].isupper():
            place = place or before.lower() in _BEFORE_PLACES
            names += after not in _I and before[-1] not in ".?!"
    return (
        math.log1p(len(words)),
        text.rstrip().endswith("?"),
        "?" in text,
        min(3, names) / 3,
        bool(digits) or not NUMBERS.isdisjoint(words),
        not TIMES.isdisjoint(words) or any(len(word) == 4 and word[:2] in ("19", "20") for word in digits),
        place,
        not REASONS.isdisjoint(words),
    )
