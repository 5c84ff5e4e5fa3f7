"""Weights that ship in 4 bits: NAME (rows, blocks, 16), two numbers in each byte, and NAME.scale, one for each block of
32 (the format of ggml's Q4_0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.values import Floats

BLOCK: Final = 32
MIDDLE: Final = 8


def rows_widened(packed: npt.NDArray[np.uint8], scale: npt.NDArray[Any]) -> Floats:
    """(rows, 32 x blocks) from packed (rows, blocks, 16) and scale (rows, blocks)."""
    halves = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - MIDDLE
    return (halves * scale.astype(np.float32)[..., None]).reshape(len(packed), -1)


def widened(raw: Mapping[str, npt.NDArray[Any]]) -> dict[str, Floats]:
    """All of them in full precision; what has no scale ships in 16 bits."""
    return {
        name: rows_widened(value, raw[f"{name}.scale"]) if f"{name}.scale" in raw else value.astype(np.float32)
        for name, value in raw.items()
        if not name.endswith(".scale")
    }


def packed(rows: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
    """The way back, as ggml does it: of each block the number furthest from zero becomes the lowest of sixteen."""
    blocks = rows.reshape(len(rows), -1, BLOCK)
    furthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
    scale = (furthest / -MIDDLE).astype(np.float16)
    safe = np.where(scale == 0, np.float32(1), scale.astype(np.float32))
    steps = np.clip(np.round(blocks / safe) + MIDDLE, 0, 2 * MIDDLE - 1).astype(np.uint8)
    low, high = steps[..., : BLOCK // 2], steps[..., BLOCK // 2 :]
    return low | np.left_shift(high, 4, dtype=np.uint8), scale[..., 0]
