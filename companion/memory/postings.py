"""Which documents have a word, and what BM25 makes of it. Documents are added at any time, without building anew."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.values import Floats
from companion.memory.terms import EMPTY, beginnings, stem_of, words_of

Whole = npt.NDArray[np.int32]

K1, B = 1.2, 0.75
BEGINNING_SHARE: Final = 0.3
TAIL: Final = 4096  # postings added since the last merge, looked through one by one


@dataclass(frozen=True)
class Scored:
    """Of each document: BM25 by both, by stems, by how words begin, and the share of what was asked for that it has."""

    both: Floats
    stems: Floats
    beginnings: Floats
    share: Floats
    possible: float  # the weight of all that was asked for


class _Terms(dict[str, int]):
    """A word's term: -1 for words that say nothing. Fills itself, so that a known word costs one look."""

    def __init__(self) -> None:
        super().__init__()
        self.stems: dict[str, int] = {}
        self._ordered: list[str] = []

    def __missing__(self, word: str) -> int:
        if word in EMPTY:
            self[word] = -1
            return -1
        stem = stem_of(word)
        term = self.stems.get(stem)
        if term is None:
            term = self.stems[stem] = len(self.stems)
        self[word] = term
        return term

    def beginning(self, letters: str) -> list[int]:
        """The terms that begin so."""
        if len(self._ordered) < len(self.stems):
            self._ordered.extend(itertools.islice(self.stems, len(self._ordered), None))
            self._ordered.sort()  # nearly sorted already but for the first time
        start = bisect.bisect_left(self._ordered, letters)
        end = bisect.bisect_left(self._ordered, f"{letters}\U0010ffff", start)
        return [self.stems[stem] for stem in self._ordered[start:end]]


class Postings:
    """Terms sorted in one array, what was added lately in another; the two are merged when the tail has grown."""

    def __init__(self) -> None:
        self.size = 0
        self._terms = _Terms()
        self._lengths = np.zeros(0, np.float32)
        self._starts = np.zeros(1, np.int64)  # of term t: from _starts[t] to _starts[t + 1]
        self._main = _Columns()
        self._tail = _Columns()

    def add(self, texts: Sequence[str]) -> None:
        words = [words_of(text) for text in texts]
        counts = np.fromiter((len(one) for one in words), np.int64, len(words))
        flat = itertools.chain.from_iterable(words)
        terms = np.fromiter(map(self._terms.__getitem__, flat), np.int64, int(counts.sum()))
        places = np.repeat(np.arange(self.size, self.size + len(texts)), counts)
        keys, times = np.unique((terms << 32 | places)[terms >= 0], return_counts=True)
        added = _Columns((keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32), times.astype(np.float32))
        lengths = np.bincount(added.places - self.size, added.times, len(texts)) if len(texts) else np.zeros(0)
        self._lengths = np.concatenate([self._lengths, lengths.astype(np.float32)])
        self.size += len(texts)
        self._tail = self._tail.with_more(added)
        if len(self._tail) > max(TAIL, len(self._main) // 4):
            self._merge()

    def score(self, words: Iterable[str]) -> Scored:
        """words: of the question, as `words_of` gives them."""
        stems = dict.fromkeys(stem_of(word) for word in words if word not in EMPTY)
        known = self._terms
        exact = [[known.stems[stem]] if stem in known.stems else [] for stem in stems]
        begun = [known.beginning(part) for part in dict.fromkeys(part for stem in stems for part in beginnings(stem))]
        steady = self._steady()
        by_stem, has, there = self._summed(exact, steady)
        by_beginning, _, more = self._summed(begun, steady)
        whole = by_stem + BEGINNING_SHARE * by_beginning
        return Scored(whole, by_stem, by_beginning, has / max(there, 1e-9), there + BEGINNING_SHARE * more)

    def _steady(self) -> Floats:
        average = float(self._lengths.mean()) if self.size else 1.0
        return np.asarray(K1 * (1 - B + B * self._lengths / max(average, 1e-9)), dtype=np.float32)

    def _summed(self, asked: list[list[int]], steady: Floats) -> tuple[Floats, Floats, float]:
        """BM25, the weight found, and the weight that there was to find."""
        found: list[_Columns] = []
        weights: list[Floats] = []
        possible = 0.0
        for terms in asked:
            part = self._of(terms)
            rare = math.log(1 + (self.size - min(len(part), self.size) + 0.5) / (len(part) + 0.5))
            possible += rare
            found.append(part)
            weights.append(np.full(len(part), rare, np.float32))
        if not found or not self.size:
            nothing = np.zeros(self.size, np.float32)
            return nothing, nothing, possible
        places = np.concatenate([part.places for part in found])
        times = np.concatenate([part.times for part in found])
        weight = np.concatenate(weights)
        scores = np.bincount(places, weight * times * (K1 + 1) / (times + steady[places]), self.size)
        return scores.astype(np.float32), np.bincount(places, weight, self.size).astype(np.float32), possible

    def _of(self, terms: list[int]) -> _Columns:
        known = len(self._starts) - 1
        parts = [self._main.cut(int(self._starts[term]), int(self._starts[term + 1])) for term in terms if term < known]
        late = np.isin(self._tail.terms, terms) if len(self._tail) and terms else None
        if late is not None and late.any():
            parts.append(self._tail.where(late))
        return parts[0] if len(parts) == 1 else _Columns().with_more(*parts)

    def _merge(self) -> None:
        whole = self._main.with_more(self._tail)
        order = np.argsort(whole.terms, kind="stable")
        self._main, self._tail = whole.where(order), _Columns()
        self._starts = np.searchsorted(self._main.terms, np.arange(len(self._terms.stems) + 1))


class _Columns:
    """Term, place and how often, side by side."""

    def __init__(self, terms: Whole | None = None, places: Whole | None = None, times: Floats | None = None) -> None:
        self.terms = np.zeros(0, np.int32) if terms is None else terms
        self.places = np.zeros(0, np.int32) if places is None else places
        self.times = np.zeros(0, np.float32) if times is None else times

    def __len__(self) -> int:
        return len(self.terms)

    def with_more(self, *others: _Columns) -> _Columns:
        every = (self, *others)
        return _Columns(
            np.concatenate([one.terms for one in every]),
            np.concatenate([one.places for one in every]),
            np.concatenate([one.times for one in every]),
        )

    def cut(self, start: int, end: int) -> _Columns:
        return self.where(slice(start, end))

    def where(self, which: Any) -> _Columns:
        return _Columns(self.terms[which], self.places[which], self.times[which])
