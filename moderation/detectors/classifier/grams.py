"""Words and letters as numbers: which of 131,072 places the pieces of a text fall on (the hashing trick, Weinberger et
al. 2009; with pieces of words as in Bojanowski et al. 2017). Linear in the length of the text."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

BUCKETS: Final = 1 << 17
LETTERS: Final = (3, 4, 5)
MOST_CHARS: Final = 20_000

_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT: Final = np.uint64(64 - 17)

Places = npt.NDArray[np.int32]


def places_of(text: str) -> Places:
    """The places of a normalised text: runs of 3 to 5 letters, words, and pairs of words. Sorted, each once."""
    codes = _codes(text)
    if not codes.size:
        return np.zeros(0, np.int32)
    words = _words(codes)
    found = [_runs(codes, size) for size in LETTERS if codes.size >= size]
    found += [_mixed(words, 11), _mixed(words[:-1] * _PRIME + words[1:], 12)]
    return np.unique(np.concatenate(found))


def _codes(text: str) -> npt.NDArray[np.uint64]:
    """Code points with one blank at each end, so that a run of letters knows where a word begins and ends."""
    padded = f" {' '.join(text[:MOST_CHARS].split())} "
    if not padded.strip():
        return np.zeros(0, np.uint64)
    raw = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return raw.astype(np.uint64)


def _runs(codes: npt.NDArray[np.uint64], size: int) -> Places:
    value = np.zeros(codes.size - size + 1, np.uint64)
    for offset in range(size):
        value = value * _PRIME + codes[offset : codes.size - size + 1 + offset]
    return _mixed(value, size)


def _words(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One number for each word: letters weighed by their place in it, summed."""
    blank = codes == 32
    starts = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1
    which = np.cumsum(blank) - 1
    inside = np.flatnonzero(~blank)
    offset = (inside - starts[which[inside]]).astype(np.uint64)
    weighed = (codes[inside] + np.uint64(1)) * (_MIX * (offset * np.uint64(2) + np.uint64(1)))
    weighed ^= weighed >> np.uint64(29)
    return np.add.reduceat(weighed * _PRIME, np.searchsorted(inside, starts))


def _mixed(values: npt.NDArray[np.uint64], salt: int) -> Places:
    mixed = (values ^ np.uint64(salt * 0x51ED2701)) * _PRIME
    mixed ^= mixed >> np.uint64(32)
    return ((mixed * _MIX) >> _SHIFT).astype(np.int32)
