"""Likeness by letters and words: character n-grams (3 to 5) and words, weighted by how rare they are."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.values import Floats
from companion.types import Language
from companion.words import content_words, lexicon, words_of

GRAM_SHARE = 0.35  # weight of one n-gram beside a word's 1.0
CONTAINED_SHARE = 0.3  # how much it counts that a text stands in the message, beside how alike the two are
PAIR_SHARE = 0.6  # two neighbouring words


def features_of(words: tuple[str, ...], language: Language) -> dict[str, float]:
    """Features with their weights before idf: words, pairs of words, n-grams inside words (with their edges)."""
    same = lexicon(language).same
    kept = tuple(same.get(word, word) for word in content_words(words, language))
    found: Counter[str] = Counter()
    for word in kept:
        found["w" + word] = 1
    for first, second in itertools.pairwise(words):
        found["p" + first + " " + second] = 1
    weights = {name: PAIR_SHARE if name[0] == "p" else 1.0 for name in found}
    for word in kept:
        weights |= _grams_of(word)
    return weights


@functools.lru_cache(maxsize=1 << 15)  # the bank's words are few, and each stands in many lines
def _grams_of(word: str) -> Mapping[str, float]:
    edged = f"<{word}>"
    return {
        "g" + edged[start : start + size]: GRAM_SHARE for size in (3, 4, 5) for start in range(len(edged) - size + 1)
    }


@dataclass(frozen=True)
class Letters:
    """What is counted of texts. One row for each feature of each text, those of a feature side by side: which text,
    and the feature's weight in it. names, idf, counts: of each feature, and how many rows it has. says: of each text,
    how far it says something, 0 to 1."""

    names: tuple[str, ...]
    idf: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    weights: Floats
    says: Floats


def letters_of(words: Sequence[tuple[str, ...]], language: Language) -> Letters:
    """words: of each text."""
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__  # a new name gets the next number
    numbers: list[int] = []
    given: list[float] = []
    sizes: list[int] = []
    for each in words:
        bag = features_of(each, language)
        numbers += map(ids.__getitem__, bag)
        given += bag.values()
        sizes.append(len(bag))
    features, rows = np.array(numbers, dtype=np.int32), np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    counts = np.bincount(features, minlength=len(ids))
    idf = np.array([math.log(1 + len(words) / seen) for seen in counts.tolist()])
    weights = np.array(given, dtype=np.float64) * idf[features]
    lengths = np.sqrt(np.bincount(rows, weights=weights * weights, minlength=len(words)))
    lengths[lengths == 0] = 1.0
    order = np.argsort(features, kind="stable")
    # A short text is easily contained in a long message: it counts as far as it says something.
    usual = float(np.median(lengths)) if len(words) else 1.0
    return Letters(
        names=tuple(ids),
        idf=idf,
        counts=counts,
        places=rows[order],
        weights=(weights / lengths[rows])[order].astype(np.float32),
        says=np.minimum(lengths.astype(np.float32) / usual, 1.0),
    )


class LexicalIndex:
    """Cosine between the weighted features of a query and of each text, mixed with the share of the text that stands in
    the query: a long message may hold what a short text says. About half a millisecond for 5,000 texts."""

    def __init__(self, letters: Letters, language: Language) -> None:
        self.language = language
        self.size = len(letters.says)
        self._places, self._weights, self._says = letters.places, letters.weights, letters.says
        ends = np.cumsum(letters.counts).tolist()
        postings = itertools.starmap(slice, zip([0, *ends], ends, strict=False))
        self._postings = dict(zip(letters.names, postings, strict=True))
        self._idf: dict[str, float] = dict(zip(letters.names, letters.idf.tolist(), strict=True))
        self._unseen = math.log(1 + self.size) if self.size else 1.0

    def weighted(self, text: str) -> dict[str, float]:
        """The query's features of unit length. Features that no text has count in the length: they are a difference."""
        bag = features_of(words_of(text, self.language), self.language)
        weighted = {name: weight * self._idf.get(name, self._unseen) for name, weight in bag.items()}
        length = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
        return {name: weight / length for name, weight in weighted.items()}

    def scores(self, weighted: Mapping[str, float]) -> Floats:
        """A likeness of 0 to 1 for each text."""
        found = [(self._postings[name], weight) for name, weight in weighted.items() if name in self._postings]
        if not found:
            return np.zeros(self.size, dtype=np.float32)
        places = np.concatenate([self._places[posting] for posting, _ in found])
        weights = np.concatenate([self._weights[posting] * np.float32(weight) for posting, weight in found])
        alike = np.bincount(places, weights=weights, minlength=self.size)
        shares = np.concatenate([self._weights[posting] * self._weights[posting] for posting, _ in found])
        contained = np.bincount(places, weights=shares, minlength=self.size) * self._says
        return np.asarray((1 - CONTAINED_SHARE) * alike + CONTAINED_SHARE * contained, dtype=np.float32)

    def known(self, word: str) -> bool:
        return "w" + word in self._idf

    def rarity(self, word: str) -> float:
        """High for words that the bank hardly has."""
        return self._idf.get("w" + word, self._unseen)
