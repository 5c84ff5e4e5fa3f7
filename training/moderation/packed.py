"""What training.moderation.pack wrote, opened: examples as runs of tokens, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from moderation.detectors.classifier.grams import places_of
from moderation.detectors.classifier.outputs import AT

SHORT: Final = 18  # tokens of a line that is laid before others: batches stay short
BEFORE_TOKENS: Final = 64  # as in moderation.detectors.classifier.reading

Beside = Callable[[npt.NDArray[np.int64]], list[list[int]]]


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
        self.places = _places(data["texts"], data["text_ends"]) if places else []
        self.places_before = _places(data["earlier"], data["earlier_ends"]) if places else []

    def _lines(self) -> None:
        """Messages without a line before them; and single lines, by language, that could be one: harmless, and all."""
        one, side = self.segment_ends - self.segment_starts == 1, self.targets[:, AT["message/any"]]
        self.alone = one & (self.targets[:, AT["message/T01"]] >= 0)
        one &= self.lengths <= SHORT
        self.calm = [np.flatnonzero(one & (side == 0) & (self.language == n)) for n in range(4)]
        self.lines = [np.flatnonzero(one & (side >= 0) & (self.language == n)) for n in range(4)]

    def __len__(self) -> int:
        return len(self.lengths)

    def batches(
        self, rows: npt.NDArray[np.int64], size: int, rng: np.random.Generator | None, beside: Beside | None = None
    ) -> Iterator[tuple[npt.NDArray[np.int64], list[list[int]]]]:
        """Rows of like length together, each with what is laid before it; in a new order each time where `rng` is
        given."""
        pools = [rows] if rng is None else np.array_split(rng.permutation(rows), max(1, len(rows) // (size * 50)))
        for pool in pools:
            others = beside(pool) if beside else [[] for _ in pool]
            whole = [self.lengths[row] + self.ends_of(found).sum() for row, found in zip(pool, others, strict=True)]
            order = np.argsort(whole, kind="stable")
            groups = [order[at : at + size] for at in range(0, len(order), size)]
            for n in range(len(groups)) if rng is None else rng.permutation(len(groups)):
                yield pool[groups[n]], [others[at] for at in groups[n]]

    def ends_of(self, rows: list[int]) -> npt.NDArray[np.int64]:
        """How many tokens of these rows' last lines are read when they stand before another."""
        last = self.segment_ends[rows] - 1
        return np.minimum(self.token_ends[last] - self.token_starts[last], BEFORE_TOKENS)


def _runs(ends: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return np.concatenate([[0], ends[:-1]]), ends


def _texts(blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> Iterator[str]:
    whole = blob.tobytes()
    starts = [0, *ends.tolist()[:-1]]
    return (whole[a:b].decode("utf-8") for a, b in zip(starts, ends.tolist(), strict=True))


def _places(blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int32]]:
    return [places_of(text) for text in _texts(blob, ends)]
