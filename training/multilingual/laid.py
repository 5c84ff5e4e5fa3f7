"""Runs of tokens laid side by side, by their places: what the trunk gave is kept once, and batches point into it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
WIDTHS = (
    8  # tokens: batches are as wide as a multiple of this, since a processor makes its products anew for each shape
)


def joined(starts: Numbers, lengths: Numbers) -> Numbers:
    """The places of all runs, one after another. starts, lengths: (runs,)."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(int(ends[-1]) if len(ends) else 0)


def side_by_side(starts: Numbers, lengths: Numbers) -> tuple[Numbers, Numbers]:
    """(texts, width) each: the place of each token (0 where there is none), and which of its text's runs it is of (as
    many as there are runs where there is none). starts, lengths: (texts, runs)."""
    totals = lengths.sum(1)
    width = -(-int(totals.max()) // WIDTHS) * WIDTHS
    real = np.arange(width)[None, :] < totals[:, None]
    at, run = np.zeros(real.shape, np.int64), np.full(real.shape, lengths.shape[1], np.int64)
    at[real] = joined(starts.ravel(), lengths.ravel())
    run[real] = np.repeat(np.tile(np.arange(lengths.shape[1]), len(lengths)), lengths.ravel())
    return at, run
