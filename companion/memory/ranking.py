"""The one ranking of the memory: words (BM25) and sense (the sentence encoder's cosine), added up.

Used by recall in a turn and by `manage.py recall`. Pure but for the vectors, which are handed in. A document without a
vector is found by its words alone; a query without one likewise.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.memory.facts import fold

K1, B = 1.2, 0.75
WORDS_SHARE = 0.5  # the rest is sense
ENGLISH_ONLY = 0.8  # the encoder learned English: in other languages words are the better witness
ENOUGH = 0.3  # a document with this share of the query's weight is a full match by words
STEMS = (4, 5)  # words also count by how they begin: "painted" finds "painting", "pintei" finds "pintar"
STEM_SHARE = 0.3
# Words that say nothing about what a sentence is about, in the four languages, folded.
_EMPTY = frozenset(
    "a an the and or but of to in on at for with from by is are was were be been am i you he she it we they me my your "
    "his her its our their this that these those do does did have has had what when where who which how why s t ll ve "
    "re m o os as um uma e ou mas de do da dos das em no na nos nas por para pra com que eu voce vc ele ela meu minha "
    "seu sua qual quando onde quem como foi sao esta el la los las un una y pero del al en con para yo tu mi es son "
    "fue cual donde quien cuando le les une des et mais du au aux dans sur pour avec je il elle on nous vous mon ma "
    "mes ton ta tes est sont qui quoi ou quand comment ai as".split()
)


@dataclass(frozen=True)
class Ranked:
    """A document's place in the list given, and how well it fits: 0 to 1."""

    place: int
    score: float


def terms_of(text: str) -> Counter[str]:
    """The words of a text that say something, folded, and how they begin (marked with a star, and counted less)."""
    found: Counter[str] = Counter()
    for word in "".join(char if char.isalnum() else " " for char in fold(text)).split():
        if word not in _EMPTY:
            found[word] += 1
            for length in STEMS:
                found[f"{word.removesuffix('s')[:length]}*{length}"] += 1
    return found


class Index:
    """Documents to be ranked. `vectors` has a vector of unit length, or None, for each text, or is None as a whole."""

    def __init__(
        self,
        texts: Sequence[str],
        vectors: Sequence[Floats | None] | None = None,
        *,
        words_share: float = WORDS_SHARE,
    ) -> None:
        self._words_share = words_share
        bags = [terms_of(text) for text in texts]
        self.size = len(bags)
        lengths = [sum(bag.values()) or 1 for bag in bags]
        average = sum(lengths) / self.size if bags else 1.0
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, bag in enumerate(bags):
            steady = K1 * (1 - B + B * lengths[place] / average)
            for term, count in bag.items():
                postings[term].append((place, count * (K1 + 1) / (count + steady)))
        self._postings = dict(postings)
        self._places, self._matrix = _stacked(vectors)

    def rank(self, query: str, vector: Floats | None = None, *, limit: int) -> list[Ranked]:
        """The best `limit` documents, or all where there are fewer. Of equals the later one comes first."""
        scores = self._words_share * self._by_words(query)
        if vector is not None and self._matrix is not None:
            scores[self._places] += (1 - self._words_share) * np.clip(self._matrix @ vector, 0.0, 1.0)
        order = sorted(range(self.size), key=lambda place: (-scores[place], -place))
        return [Ranked(place, float(min(1.0, scores[place]))) for place in order[: max(0, limit)]]

    def _by_words(self, query: str) -> Floats:
        """BM25, as a share of what the best document has, so that it can be added to a cosine. Where even the best one
        has little of what is asked for, it counts for little."""
        scores = np.zeros(self.size, dtype=np.float32)
        possible = 0.0
        for term in terms_of(query):
            found = self._postings.get(term, [])
            rare = math.log(1 + (self.size - len(found) + 0.5) / (len(found) + 0.5))
            rare *= STEM_SHARE if "*" in term else 1.0
            possible += rare
            for place, weight in found:
                scores[place] += rare * weight
        best = float(scores.max()) if self.size else 0.0
        return scores / max(best, ENOUGH * possible) if best > 0 else scores


def _stacked(vectors: Sequence[Floats | None] | None) -> tuple[list[int], Floats | None]:
    """The vectors that are there as one matrix, and whose they are."""
    there = [(place, vector) for place, vector in enumerate(vectors or ()) if vector is not None]
    if not there:
        return [], None
    return [place for place, _ in there], np.stack([vector for _, vector in there]).astype(np.float32)
