"""A message as the tagger reads it: the encoder's tokens, and what each one's word looks like. Pure.

Beside the encoder's own pieces stand whole words, what they are made of, how they look and the lists they are in: what
the rows say of a word holds for it however it was cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from companion.memory.dates import When
from companion.memory.lexicon import LISTS, lexicon
from companion.memory.text import flat, fold
from companion.types import LANGUAGES, Language

WORDS: Final = 1 << 14  # buckets of whole words; 0 stands for none
PIECES: Final = 1 << 13  # ... and of what words are made of: three letters, how they begin and end
MOST_PIECES: Final = 12
SHAPES: Final = ("none", "lower", "title", "upper", "digits", "mark", "emoji")
TIMES: Final = ("none", "day", "again", "no day")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")

Place = tuple[int, int]
Whole = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Tokens:
    """places: of each token in the text; of: the number of its word. word, shape, time: (tokens,), pieces: (tokens,
    MOST_PIECES), lists: (tokens, LISTS), 1 where the word stands in a list of the language."""

    places: tuple[Place, ...]
    of: tuple[int, ...]
    word: Whole
    pieces: Whole
    shape: Whole
    time: Whole
    lists: Whole
    language: int


def tokens_of(text: str, places: Sequence[Place], times: Sequence[When], language: Language) -> Tokens:
    """places: what the encoder's tokenizer found, (0, 0) for what stands for no letter."""
    count = len(places)
    word, shape, time = (np.zeros(count, np.int32) for _ in range(3))
    pieces = np.zeros((count, MOST_PIECES), np.int32)
    lists = np.zeros((count, len(LISTS)), np.int32)
    bare = flat(text)
    listed = [
        (number, match.span())
        for number, (_, pattern) in enumerate(lexicon(language).lists)
        for match in pattern.finditer(bare)
    ]
    words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]
    at, of = 0, []
    for token, (start, end) in enumerate(places):
        of.append(-1 - token)  # a word of its own
        if start == end:
            continue
        at = 0 if at < len(words) and words[at][0] > start else at
        while at < len(words) and words[at][1] <= start:
            at += 1
        if at < len(words) and words[at][0] < end:
            own = words[at][2]
            of[token] = at
            word[token], shape[token] = _bucket(fold(own), WORDS), _shape(own)
            found = _pieces(own)
            pieces[token, : len(found)] = found
        for number, (begin, until) in listed:
            if begin < end and start < until:
                lists[token, number] = 1
        time[token] = next((_time(one) for one in times if one.start < end and start < one.end), 0)
    return Tokens(tuple(places), tuple(of), word, pieces, shape, time, lists, LANGUAGES.index(language))


def _bucket(text: str, among: int) -> int:
    return 1 + crc32(text.encode("utf-8", "surrogatepass")) % (among - 1)


@lru_cache(maxsize=1 << 12)
def _pieces(word: str) -> tuple[int, ...]:
    edged = f"<{fold(word)[:24]}>"
    threes = [edged[at : at + 3] for at in range(len(edged) - 2)]
    found = dict.fromkeys([edged[:5], edged[-5:], *threes])
    return tuple(_bucket(piece, PIECES) for piece in list(found)[:MOST_PIECES])


def _shape(word: str) -> int:
    if word.isdigit():
        name = "digits"
    elif not word[0].isalnum():
        name = "mark" if word.isascii() or word in "«»“”„¿¡…–—’" else "emoji"
    elif len(word) > 1 and word.isupper():
        name = "upper"
    else:
        name = "title" if word[0].isupper() else "lower"
    return SHAPES.index(name)


def _time(when: When) -> int:
    return TIMES.index("again" if when.again else "no day" if when.day is None else "day")


def place_of(text: str, part: str, *, near: Place | None = None) -> Place | None:
    """Where the part stands in the text: the first that is whole words, or the nearest to another place."""
    found = [match.span() for match in re.finditer(re.escape(part), text, re.IGNORECASE)]
    whole = [place for place in found if _is_whole(text, place)] or found
    if near is None or not whole:
        return whole[0] if whole else None
    return min(whole, key=lambda place: max(place[0] - near[1], near[0] - place[1]))


def _is_whole(text: str, place: Place) -> bool:
    before, after = text[: place[0]][-1:], text[place[1] :][:1]
    begins = not (before.isalnum() and text[place[0]].isalnum())
    return begins and not (after.isalnum() and text[place[1] - 1].isalnum())
