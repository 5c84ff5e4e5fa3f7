"""Weights that ship in 4 bits: NAME (rows, blocks, 16), two numbers in each byte, and NAME.scale, one for each block of
32 (the format of ggml's Q4_0)."""

from __future__ import annotations

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
