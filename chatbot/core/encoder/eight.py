"""Weights that ship in 8 bits: NAME (int8) and NAME.scale, one for each row; small ones in 16 bits, without a scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.values import Floats

SCALE: Final = ".scale"


def widened(raw: Mapping[str, npt.NDArray[Any]], *, leave: str = "") -> dict[str, Floats]:
    """All of them in full precision, but for the one called `leave`."""
    names = [name for name in raw if not name.endswith(SCALE) and name != leave]
    return {name: _wide(raw[name], raw.get(f"{name}{SCALE}")) for name in names}


def _wide(value: npt.NDArray[Any], scale: npt.NDArray[Any] | None) -> Floats:
    full = value.astype(np.float32)
    return full if scale is None else full * scale.astype(np.float32)
