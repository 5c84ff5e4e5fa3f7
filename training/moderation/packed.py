"""What training.moderation.pack wrote, opened: examples as runs of tokens, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from moderation.detectors.classifier.grams import places_of
from moderation.detectors.classifier.outputs import AT

SHORT: Final = 18  # tokens of a line that is laid before others: batches stay short
BEFORE_TOKENS: Final = 64  # as in moderation.detectors.classifier.reading

Numbers = npt.NDArray[np.int64]
Beside = Callable[[Numbers], Numbers]


class Pack:
    """examples.npz, opened. Lengths in tokens; places made once."""

    def __init__(self, path: Path, *, places: bool = True) -> None:
        data = np.load(path)
        self.tokens: npt.NDArray[np.uint16] = data["tokens"]
        self.token_starts, self.token_ends = _runs(data["token_ends"])
        self.segment_starts, self.segment_ends = _runs(data["segment_ends"])
        self.lengths = self.token_ends[self.segment_ends - 1] - self.token_starts[self.segment_starts]
        self.targets: npt.NDArray[np.int8] = data["targets"]
        self.weights: npt.NDArray[np.float32] = data["weights"]
        self.held: npt.NDArray[np.bool_] = data["held"]
        self.source: npt.NDArray[np.int8] = data["source"]
        self.sources: list[str] = data["sources"].tolist()
        self.language: npt.NDArray[np.int8] = data["language"]
        self.scene: npt.NDArray[np.int32] = data["scene"]
        self._lines()
        self.words = np.asarray([len(text.split()) for text in _texts(data["texts"], data["text_ends"])], np.int32)
        if places:
            self.places = Places(data["texts"], data["text_ends"])
            self.places_before = Places(data["earlier"], data["earlier_ends"])

    def _lines(self) -> None:
        """Messages without a line before them; and single lines, by language, that could be one: harmless, and all."""
        one, side = self.segment_ends - self.segment_starts == 1, self.targets[:, AT["message/any"]]
        self.alone = one & (self.targets[:, AT["message/T01"]] >= 0)
        one &= self.lengths <= SHORT
        self.calm = Pools([np.flatnonzero(one & (side == 0) & (self.language == n)) for n in range(4)])
        self.lines = Pools([np.flatnonzero(one & (side >= 0) & (self.language == n)) for n in range(4)])

    def __len__(self) -> int:
        return len(self.lengths)

    def batches(
        self, rows: Numbers, size: int, rng: np.random.Generator | None, beside: Beside | None = None
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """Rows of like length together, each with what is laid before it, (rows, 3) and -1 for nothing; in a new order
        each time where `rng` is given."""
        pools = [rows] if rng is None else np.array_split(rng.permutation(rows), max(1, len(rows) // (size * 50)))
        for pool in pools:
            others = beside(pool) if beside else np.full((len(pool), 1), -1)
            order = np.argsort(self.lengths[pool] + self.ends_of(others).sum(1), kind="stable")
            groups = [order[at : at + size] for at in range(0, len(order), size)]
            for n in range(len(groups)) if rng is None else rng.permutation(len(groups)):
                yield pool[groups[n]], others[groups[n]]

    def ends_of(self, others: Numbers) -> Numbers:
        """How many tokens of these rows' last lines are read when they stand before another; of none, none."""
        last = self.segment_ends[others] - 1
        return np.minimum(self.token_ends[last] - self.token_starts[last], BEFORE_TOKENS) * (others >= 0)


class Pools:
    """Rows by language, to draw from."""

    def __init__(self, rows: Sequence[Numbers]) -> None:
        self._rows, self._sizes = np.concatenate(rows), np.array([len(some) for some in rows])
        self._starts = np.cumsum(self._sizes) - self._sizes

    def drawn(self, languages: npt.NDArray[np.int8], rng: np.random.Generator) -> Numbers:
        """A row for each; -1 where there is none in its language."""
        chosen = self._starts[languages] + (rng.random(languages.shape) * self._sizes[languages]).astype(np.int64)
        return np.where(self._sizes[languages] > 0, self._rows[np.minimum(chosen, len(self._rows) - 1)], -1)


class Places:
    """Where the pieces of each text fall: `of` all texts one after another, each text's between starts and starts +
    lengths."""

    def __init__(self, blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
            found = list(pool.map(places_of, _texts(blob, ends), chunksize=4000))
        self.of = np.concatenate([*found, np.zeros(0, np.int32)])
        self.lengths = np.array([len(one) for one in found], np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths


def _runs(ends: Numbers) -> tuple[Numbers, Numbers]:
    return np.concatenate([[0], ends[:-1]]), ends


def _texts(blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> Iterator[str]:
    whole = blob.tobytes()
    starts = [0, *ends.tolist()[:-1]]
    return (whole[a:b].decode("utf-8") for a, b in zip(starts, ends.tolist(), strict=True))
