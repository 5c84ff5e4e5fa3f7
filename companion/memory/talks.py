"""Which of a person's own sentences stand for a talk that ended. Pure: it picks, and writes nothing of its own.

What is picked tells something (a fact, a plan, something won, a feeling), or is at least a plain sentence of oneself,
and differs from what was picked before it. Questions, other people's words, planted instructions, what hurts, and the
classes of 6.5 are never picked, nor what stands beside them.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import re2

from companion.memory.dates import times_in
from companion.memory.extract import facts_in, is_silenced, may_be_kept, parts_of, planted, sentence_places
from companion.memory.facts import Fact, Kind
from companion.memory.reconcile import words_of
from companion.memory.text import fold
from companion.types import Language
from companion.words import feeling_of, is_grave, lexicon
from companion.words import words_of as plain_words

MOST: Final = 3  # sentences
ROOM: Final = 240  # characters of all of them
LONGEST: Final = 120  # characters of one; of a longer one a part is taken
FEWEST: Final = 3  # words
READ: Final = 40_000  # characters of a talk that are looked at, the last ones
LEAST: Final = 1.0
AGAIN: Final = 3.0  # taken from a sentence for the share of its words that another one has already
PLAIN: Final = 5  # words that make a difference in a sentence that tells no fact, for it to be worth a line
_WEIGHT: dict[Kind, float] = {
    "plan": 3, "win": 3, "joke": 2.5, "pet": 2.5, "person": 2.5, "does": 2.5, "favourite": 2, "like": 2, "dislike": 2,
    "feeling": 2, "name": 0, "from": 0, "year": 1,
}  # fmt: skip
LEANING: Final = 1.0  # taken from what leans on something said before it: "it went so well"
# Of the words that refer, those that stand before a noun as often.
_BEFORE_NOUNS = frozenset(
    "el la le les lo leur this that these those one there essa esse aquela aquele esa ese aquel".split()
)
# Somebody else's words, lyrics, addresses of people, and marks that a line of ours is put together with.
_NOT_OWN = re2.compile(r"[\"“”„«»♪🎶<>{}\[\]@#\\]|https?:|www\.")
_LETTER = re2.compile(r"\pL")


@dataclass(frozen=True)
class Said:
    """One message of a talk, which may be remembered. private: where personal data stand in it. told: what memory
    learned from it."""

    id: uuid.UUID
    text: str
    at: datetime
    private: tuple[tuple[int, int], ...] = ()
    told: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Picked:
    """A sentence in the person's own words, and the message that it is from."""

    text: str
    source: uuid.UUID


@dataclass(frozen=True)
class _Candidate:
    text: str
    source: uuid.UUID
    worth: float
    words: frozenset[str]
    place: int


def picked(said: Sequence[Said], language: Language) -> tuple[Picked, ...]:
    """At most three, in the order in which they were said. said: oldest first."""
    left = _candidates(said, language)
    taken: list[_Candidate] = []
    while left and len(taken) < MOST:
        known = frozenset[str]().union(*(one.words for one in taken))
        worth, _, best = max((one.worth - _again(one, known), -one.place, one) for one in left)
        left.remove(best)
        if worth < LEAST:
            break
        if sum(len(one.text) for one in taken) + len(best.text) <= ROOM:
            taken.append(best)
    return tuple(Picked(one.text, one.source) for one in sorted(taken, key=lambda one: one.place))


def _again(one: _Candidate, known: frozenset[str]) -> float:
    return AGAIN * len(one.words & known) / len(one.words)


def _candidates(said: Sequence[Said], language: Language) -> list[_Candidate]:
    room, read = READ, []
    for one in reversed(said):
        room -= len(one.text)
        if room < 0:
            break
        read.append(one)
    found: dict[frozenset[str], _Candidate] = {}
    for message in reversed(read):
        for text in _sentences(message, language):
            words = frozenset(words_of(text))
            worth = _worth(text, words, message, language)
            if words not in found and worth >= LEAST:
                found[words] = _Candidate(text, message.id, worth, words, len(found))
    return list(found.values())


def _sentences(message: Said, language: Language) -> Iterator[str]:
    """Those of a message that may be said again: in one piece, as they were typed."""
    text = unicodedata.normalize("NFC", message.text)
    if is_silenced(text, language) or planted(text):
        return
    private = message.private if text == message.text else ((0, len(text)),) if message.private else ()
    places = sentence_places(text)
    for at, (start, end, asks) in enumerate(places):
        near = text[places[max(at - 1, 0)][0] : places[min(at + 1, len(places) - 1)][1]]
        if asks or any(first < end and start < last for first, last in private) or not _may_be_kept(near, language):
            continue
        parts = [(start, end, False)] if end - start <= LONGEST else parts_of(text[start:end], language)
        origin = 0 if end - start <= LONGEST else start
        for first, last, part_asks in parts:
            one = " ".join(text[origin + first : origin + last].split()).strip(" ,.:-–'*~")
            if not part_asks and _is_sayable(one, language):
                yield one


def _may_be_kept(text: str, language: Language) -> bool:
    """Without its days: "na sexta" is Friday, and no English word."""
    for time in times_in(text, None, language):
        text = f"{text[: time.start]}{' ' * (time.end - time.start)}{text[time.end :]}"
    return may_be_kept(text, language)


def _is_sayable(text: str, language: Language) -> bool:
    words = plain_words(text, language)
    short = not FEWEST <= len(words) or len(text) > LONGEST
    return not short and bool(_LETTER.search(text)) and not _NOT_OWN.search(text) and not is_grave(words, language)


def _worth(text: str, words: frozenset[str], message: Said, language: Language) -> float:
    facts = (*facts_in(text, language, message.at), *(fact for fact in message.told if _tells(text, fact)))
    if not words or any(fact.kind == "boundary" for fact in facts):
        return 0.0
    told = max((_WEIGHT.get(fact.kind, 0.0) for fact in facts), default=0.0)
    felt = 0.5 if feeling_of(plain_words(text, language), language) else 0.0
    return told + felt + min(len(words), PLAIN) / PLAIN - (LEANING if leans(text, language) else 0.0)


def leans(text: str, language: Language) -> bool:
    """Whether a sentence by itself leaves open what it is about."""
    first = plain_words(text, language)[:1]
    return bool(lexicon(language).refers.difference(_BEFORE_NOUNS).intersection(first))


def _tells(text: str, fact: Fact) -> bool:
    return bool(fact.value) and fold(fact.value) in fold(text)
