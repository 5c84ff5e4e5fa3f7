"""Finds the exchanges that a message is closest to: sentence vectors and letters, mixed by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.bank import Bank, Exchange
from companion.engines.embedded.counted import counted_of
from companion.engines.embedded.lexical import LexicalIndex
from companion.engines.embedded.vectors import VectorCache
from companion.types import Language
from companion.words import feeling_of, is_grave, lexicon, words_of

# How much of the likeness is the sentence vector's, the rest is letters and words. The encoder knows English best; in
# the other languages it mostly sees spelling. Measured with bench/retrieval.py on its held-out messages.
VECTOR_SHARE: Mapping[Language, float] = {"en": 0.7, "pt-BR": 0.4, "es": 0.4, "fr": 0.4}


OTHER_FEELING = 0.15  # taken from what is felt the other way round: "a bad day" is near to "a good day" otherwise
FEW, FEW_SHARE = 3, 0.3  # the best few ways to say it, beside the best one


@dataclass(frozen=True)
class Query:
    """A message as the index sees it. vector: 384 floats of unit length, or None to go by letters alone."""

    features: Mapping[str, float]
    vector: Floats | None
    feeling: int = 0  # 1 good, -1 bad, 0 neither
    grave: bool = False  # a word of death is in it


@dataclass(frozen=True)
class Likeness:
    """A message's likeness to each `said` of the exchanges, and what it takes to know that of a follow-up's."""

    query: Query
    letters: Floats
    top: Floats


@dataclass(frozen=True)
class Hit:
    exchange: Exchange
    score: float
    said: str = ""
    nearest: float = 0.0  # the likeness of the nearest `said` alone


class BankIndex:
    """Over `said` of the exchanges and of their follow-ups, and over nothing else."""

    def __init__(self, bank: Bank, cache: VectorCache | None, directory: Path | None = None) -> None:
        """cache None: letters alone. directory: where what is counted of the bank is kept. Raises EncoderError."""
        self.bank = bank
        self.language = bank.language
        self._owners: list[Exchange] = []
        texts: list[str] = []
        self._rows: dict[str, list[int]] = {}
        # Rows of the exchanges themselves; those of follow-ups come after them.
        self._top = sum(len(exchange.said) for exchange in bank.exchanges)
        level = list(bank.exchanges)
        while level:
            for exchange in level:
                self._rows[exchange.id] = list(range(len(texts), len(texts) + len(exchange.said)))
                self._owners += [exchange] * len(exchange.said)
                texts += exchange.said
            level = [follow for exchange in level for follow in exchange.then]
        self.texts = tuple(texts)
        counted = counted_of(texts, bank.language, directory)
        self._feelings = counted.feelings
        sides = {
            exchange: int(np.sign(self._feelings[rows].sum())) if rows else 0 for exchange, rows in self._rows.items()
        }
        self._sides = np.array([sides[owner.id] for owner in self._owners], dtype=np.int8)
        self._side_of = sides
        self._grave = counted.grave
        weighs = self._grave | (self._feelings < 0)
        self.felt = frozenset(owner.id for owner, felt in zip(self._owners, weighs, strict=True) if felt)
        self._known = frozenset(counted.known)
        self.letters = LexicalIndex(counted.letters, bank.language)
        self._vectors = None if cache is None else cache.vectors(bank.language, texts)
        self._floor = self._usual()
        self.share = VECTOR_SHARE[bank.language] if self._vectors is not None else 0.0

    def knows(self, word: str) -> bool:
        """Whether the language's fillers or the bank have this word, as words_of writes it."""
        return word in self._known or word in lexicon(self.language).fillers

    def side(self, exchange: Exchange) -> int:
        """How what it answers is mostly felt: 1 good, -1 bad, 0 neither."""
        return self._side_of.get(exchange.id, 0)

    def _usual(self) -> float:
        """The cosine of two sentences that have nothing to do with each other, which differs by language (the encoder
        finds any two Portuguese sentences alike): what is above it counts."""
        if self._vectors is None or len(self._vectors) < 2:
            return 0.0
        step = max(1, len(self._vectors) // 400)
        sample = self._vectors[::step]
        likeness = sample @ sample.T
        return float(np.quantile(likeness[~np.eye(len(sample), dtype=bool)], 0.8))

    def query(self, text: str, vector: Sequence[float] | Floats | None) -> Query:
        given = None if vector is None or self._vectors is None else np.asarray(vector, dtype=np.float32)
        words = words_of(text, self.language)
        feeling, grave = feeling_of(words, self.language), is_grave(words, self.language)
        return Query(self.letters.weighted(text), given, feeling, grave)

    def likeness(self, query: Query) -> Likeness:
        """How close each `said` of the exchanges is; those of follow-ups when they are asked for."""
        letters = self.letters.scores(query.features)
        return Likeness(query, letters, self._mixed(query, letters, slice(0, self._top)))

    def _mixed(self, query: Query, letters: Floats, rows: slice | list[int]) -> Floats:
        """0 to 1 for each of these rows."""
        found = letters[rows]
        if query.vector is not None and self._vectors is not None:
            meaning = (self._vectors[rows] @ query.vector - self._floor) / (1 - self._floor)
            found = self.share * np.maximum(meaning, 0) + (1 - self.share) * found
        away = self._grave[rows] & (not query.grave)
        if query.feeling:
            sides = np.where(self._feelings[rows] == 0, self._sides[rows], self._feelings[rows])
            away = away | (sides == -query.feeling)
        return np.asarray(np.maximum(found - OTHER_FEELING * away, 0), dtype=np.float32)

    def best(self, likeness: Likeness, *, most: int = 8) -> list[Hit]:
        """The exchanges (not follow-ups), best first: by their best `said`, and a little by their best few, since a
        message that is near to several ways of saying something is hardly near to it by chance."""
        scores = likeness.top
        found: dict[str, Hit] = {}
        count = min(len(scores), most * 6)
        if not count:
            return []
        for at in np.argpartition(-scores, count - 1)[:count]:
            owner = self._owners[at]
            if owner.id not in found:
                rows = self._rows[owner.id]
                ranked = sorted(zip(scores[rows].tolist(), rows, strict=True), reverse=True)[:FEW]
                nearest, row = ranked[0]
                few = sum(score for score, _ in ranked) / len(ranked)
                score = (1 - FEW_SHARE) * nearest + FEW_SHARE * few
                found[owner.id] = Hit(owner, score, self.texts[row], nearest)
        return sorted(found.values(), key=lambda hit: (-hit.score, hit.exchange.id))[:most]

    def among(self, likeness: Likeness, exchanges: Sequence[Exchange]) -> list[Hit]:
        """These exchanges or follow-ups by likeness, best first; those without `said` last."""
        hits = []
        for exchange in exchanges:
            rows = self._rows.get(exchange.id, [])
            if not rows:
                hits.append(Hit(exchange, 0.0))
                continue
            is_top = rows[0] < self._top
            scores = likeness.top[rows] if is_top else self._mixed(likeness.query, likeness.letters, rows)
            at = int(scores.argmax())
            hits.append(Hit(exchange, float(scores[at]), self.texts[rows[at]]))
        return sorted(hits, key=lambda hit: (-hit.score, hit.exchange.id))
