"""The one ranking of the memory: words (BM25) and sense (the sentence encoder's cosine), added up.

Used by recall in a turn and by `manage.py recall`. Pure but for the vectors, which are handed in. A document without a
vector is found by its words alone; a query without one likewise. Where documents are turns of a talk, the best of them
are ordered anew by what stands around them, who said them and what is asked for (reranker.py).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.memory.features import Asked, features
from companion.memory.postings import Postings, Scored
from companion.memory.reranker import Reranker, RerankerError, reranker
from companion.memory.said import Named, Places, Said, Talk
from companion.memory.terms import words_of

log = logging.getLogger(__name__)

WORDS_SHARE: Final = 0.5  # the rest is sense
ENGLISH_ONLY: Final = 0.8  # the encoder learned English: in other languages words are the better witness
ENOUGH: Final = 0.3  # a document with this share of the query's weight is a full match by words
CANDIDATES: Final = 150  # of a talk, that are looked at closely
LENT: Final = (
    0.25  # what a turn has of the turn before it, when candidates are chosen: an answer seldom says what was asked
)
EVEN: Final = 4.0  # keeps the likelihoods of good candidates apart
CALLED: Final = 0.1  # what it counts there that the one who is named said it


@dataclass(frozen=True)
class Ranked:
    """A document's place in the list given, and how well it fits: 0 to 1."""

    place: int
    score: float


class Index:
    """Documents to be ranked. `vectors` has a vector of unit length, or None, for each text, or is None as a whole;
    `said` who said each text, and when, where it is a turn of a talk."""

    def __init__(
        self,
        texts: Sequence[str] = (),
        vectors: Sequence[Floats | None] | None = None,
        *,
        said: Sequence[Said | None] | None = None,
        words_share: float = WORDS_SHARE,
    ) -> None:
        self._words_share = words_share
        self._postings = Postings()
        self._talk = Talk()
        self._vectors, self._bare = _Vectors(), _Vectors()
        self.add(texts, vectors, said=said)

    @property
    def size(self) -> int:
        return self._postings.size

    def add(
        self,
        texts: Sequence[str],
        vectors: Sequence[Floats | None] | None = None,
        *,
        said: Sequence[Said | None] | None = None,
    ) -> None:
        """More documents, after those that are there. Turns of a talk come in the order in which they were said."""
        said = [None] * len(texts) if said is None else said
        self._postings.add(texts)
        self._talk.add(texts, said)
        self._vectors.add([None] * len(texts) if vectors is None else vectors)
        self._bare.add([one.bare if one else None for one in said])

    def rank(self, query: str, vector: Floats | None = None, *, limit: int) -> list[Ranked]:
        """The best `limit` documents, or all where there are fewer. Of equals the later one comes first."""
        limit = max(0, min(limit, self.size))
        if not limit:
            return []
        asked, scores = self._asked(query, vector)
        net = _reranker() if self._talk.spoken else None
        if net is not None:
            places, seen = self._looked_at(asked, scores, vector)
            scores *= 0.5  # the rest comes after the candidates, in the order that it had
            scores[places] = 0.5 + 0.5 / (1 + np.exp(-net.score(seen) / EVEN))
        return [Ranked(place, float(min(1.0, scores[place]))) for place in _best(scores, limit).tolist()]

    def candidates(self, query: str, vector: Floats | None) -> tuple[Places, Floats]:
        """The turns that are looked at closely, and what the reranker sees of each: what it learns from."""
        return self._looked_at(*self._asked(query, vector), vector)

    def _asked(self, query: str, vector: Floats | None) -> tuple[Asked, Floats]:
        """What each document has of the question, and its score by words and sense."""
        words = tuple(words_of(query))
        named = self._talk.named(query) if self._talk.spoken else Named(words, frozenset())
        scored = self._postings.score(named.words)
        sense = self._vectors.cosines(vector)
        scores = self._words_share * _by_words(scored)
        if sense is not None:
            scores += (1 - self._words_share) * np.maximum(np.nan_to_num(sense), 0.0)
        return Asked(words, named, scored, sense), scores

    def _looked_at(self, asked: Asked, scores: Floats, vector: Floats | None) -> tuple[Places, Floats]:
        first = scores + LENT * self._talk.lent(scores)
        if len(asked.named.who) == 1:
            first += CALLED * (self._talk.who == next(iter(asked.named.who)))
        places = np.sort(_best(first, min(CANDIDATES, self.size)))
        return places, features(asked, self._bare.cosines(vector, places), self._talk, places)


def _reranker() -> Reranker | None:
    try:
        return reranker()
    except RerankerError as error:
        log.error("memory_without_reranker", extra={"reason": str(error)})
        return None


def _by_words(scored: Scored) -> Floats:
    """BM25, as a share of what the best document has, so that it can be added to a cosine. Where even the best one
    has little of what is asked for, it counts for little."""
    best = float(scored.both.max())
    return scored.both / max(best, ENOUGH * scored.possible) if best > 0 else scored.both


def _best(scores: Floats, limit: int) -> Places:
    """The places of the best, best first; of equals the later one."""
    if limit < len(scores):
        enough = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        places = np.flatnonzero(scores >= enough)
    else:
        places = np.arange(len(scores))
    return places[np.lexsort((-places, -scores[places]))][:limit]


class _Vectors:
    """The vectors that are there, in a matrix with room to grow; not a number for documents without."""

    def __init__(self) -> None:
        self._size = 0
        self._rows: Floats | None = None

    def add(self, vectors: Sequence[Floats | None]) -> None:
        there = [place for place, vector in enumerate(vectors) if vector is not None]
        size = self._size + len(vectors)
        if there and self._rows is None:
            self._rows = self._room(size, width=len(next(one for one in vectors if one is not None)))
        if self._rows is not None:
            if size > len(self._rows):
                self._rows = self._room(2 * size, width=self._rows.shape[1])
            new = self._rows[self._size : size]
            if len(there) == len(vectors):
                new[:] = vectors
            elif there:
                new[there] = [vectors[place] for place in there]
        self._size = size

    def _room(self, size: int, *, width: int) -> Floats:
        rows = np.full((size, width), np.nan, np.float32)
        if self._rows is not None:
            rows[: self._size] = self._rows[: self._size]
        return rows

    def cosines(self, vector: Floats | None, places: Places | slice = slice(None)) -> Floats | None:
        """Of all documents, or of some; None where there is nothing to compare."""
        if vector is None or self._rows is None:
            return None
        return np.asarray(self._rows[: self._size][places] @ vector, np.float32)
