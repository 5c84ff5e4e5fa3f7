"""What training.remembering.pack wrote, opened on one device: rows as runs of tokens, and batches of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.multilingual.layers import Trunk
from training.remembering.net import SIZE, Sizes

OUTSIDE, BEGIN, INSIDE = range(3)  # as in companion.memory.told
POOL: Final = 4096  # rows that are sorted by length, so that a batch has little padding
READ: Final = 16_384  # tokens that the trunk reads at once
WIDTHS: Final = 8  # tokens: batches are as wide as a multiple of this
NOTHING: Final = -100  # the tag of padding: cross_entropy passes over it

Rows = npt.NDArray[np.int64]


class Pack:
    """tagged.npz. `read` before `laid`."""

    def __init__(self, path: Path, device: str) -> None:
        data = np.load(path)
        self.device = torch.device(device)
        self.sizes = Sizes(*data["sizes"].tolist())
        self.made_for: npt.NDArray[np.int32] = data["made_for"]
        self.held: npt.NDArray[np.bool_] = data["held"]
        ends = data["ends"].astype(np.int64)
        self.lengths: Rows = np.diff(ends, prepend=0)
        self._lengths, self._starts = self._put(self.lengths), self._put(ends - self.lengths)
        self._ids, self._word = self._put(data["ids"]), self._put(data["word"])
        self._words, self._pieces = self._put(data["words"]), self._put(data["pieces"])
        self._shape, self._time = self._put(data["shape"]), self._put(data["time"])
        self._language = self._put(data["language"])
        self._lists = self._put(np.unpackbits(data["lists"], axis=1, count=self.sizes.lists))
        self._said = self._marks(data["said"])
        told = self._marks(data["told"])
        self._tags = torch.where(told[:, 0::2] > 0, BEGIN, INSIDE * told[:, 1::2])
        self.states = torch.zeros(len(self._ids), SIZE, dtype=torch.float16, device=self.device)

    def __len__(self) -> int:
        return len(self.lengths)

    def _put(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(self.device)

    def _marks(self, places: npt.NDArray[np.int32]) -> Tensor:
        """(tokens, 2 x channels), 0 or 1."""
        marks = torch.zeros(len(self._ids), 2 * self.sizes.channels, dtype=torch.int8, device=self.device)
        marks.view(-1)[self._put(places)] = 1
        return marks

    def batches(self, rows: Rows, tokens: int, draw: np.random.Generator | None = None) -> list[Rows]:
        """Rows of like length, about so many tokens; with `draw` in a new order each time, and always as many."""
        pools = [rows]
        if draw is not None:
            pools = np.array_split(draw.permutation(rows), max(1, round(len(rows) / POOL)))
        each = max(1, round(self.lengths[rows].sum() / tokens / len(pools)))
        found: list[Rows] = []
        for pool in pools:
            some = pool[np.argsort(self.lengths[pool], kind="stable")]
            ends = np.cumsum(self.lengths[some])
            found += np.split(some, np.searchsorted(ends, ends[-1] * np.arange(1, each) / each))
        order = np.arange(len(found)) if draw is None else draw.permutation(len(found))
        return [found[at] for at in order if len(found[at])]

    def _spread(self, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
        """The rows on the device; where each of their tokens stands, and which are none (texts, tokens)."""
        # Some kernels want it so, and a processor makes its products anew for every shape that it has not seen.
        width = -(-int(self.lengths[rows].max()) // WIDTHS) * WIDTHS
        some = torch.from_numpy(rows).to(self.device)
        reach = torch.arange(width, device=self.device)[None, :]
        mask = reach < self._lengths[some][:, None]
        return some, (self._starts[some][:, None] + reach).masked_fill(~mask, 0), mask

    @torch.no_grad()
    def read(self) -> None:
        """The trunk reads every row once, in full precision as when it serves: it is frozen."""
        trunk = Trunk().to(self.device)
        for rows in self.batches(np.arange(len(self)), READ):
            _, at, mask = self._spread(rows)
            self.states[at[mask]] = trunk(self._ids[at], mask)[mask].to(self.states.dtype)

    def laid(self, rows: Rows) -> tuple[dict[str, Tensor], Tensor]:
        """What the net sees of these, and the right tags (texts, tokens, channels)."""
        some, at, mask = self._spread(rows)
        word = self._word[at]
        seen = {
            "hidden": self.states[at].float(),
            "word": self._words[word],
            "pieces": self._pieces[word],
            "shape": self._shape[at],
            "time": self._time[at],
            "lists": self._lists[at].float(),
            "said": self._said[at].float(),
            "language": self._language[some],
            "mask": mask,
        }
        return seen, self._tags[at].long().masked_fill(~mask.unsqueeze(-1), NOTHING)
