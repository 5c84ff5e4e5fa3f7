"""The small net that orders the best candidates of a talk, learnt from our own questions (training/recall)."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder.values import Floats
from companion.memory.features import NAMES
from companion.pinned import arrays_pinned

WEIGHTS: Final = Path(__file__).with_name("reranker.npz")
SHA256: Final = "5cb321eafcaa69a2c9685777d623e8313e5a236044325507d060ab5d889e3430"
FEATURES: Final = hashlib.sha256(" ".join(NAMES).encode()).hexdigest()[:16]  # what the weights were made for


class RerankerError(Exception):
    """The weights are missing, or not the pinned ones."""


class Reranker:
    def __init__(self, weights: Mapping[str, Any]) -> None:
        """Raises RerankerError."""
        try:
            if str(weights["features"]) != FEATURES:
                raise RerankerError("The reranker's weights were made for other features.")
            self._first, self._to_first, self._out = (
                weights[name].astype(np.float32) for name in ("first.weight", "first.bias", "out.weight")
            )
        except KeyError as error:
            raise RerankerError(f"The reranker's weights have no {error}.") from error

    def score(self, seen: Floats) -> Floats:
        """seen: what `features` gave. Higher is better, compared within one question only."""
        return np.asarray(np.maximum(seen @ self._first + self._to_first, 0) @ self._out, np.float32)


@functools.cache
def reranker(path: Path = WEIGHTS, sha256: str = SHA256) -> Reranker:
    """Raises RerankerError."""
    try:
        return Reranker(arrays_pinned(path, sha256))
    except (OSError, ValueError) as error:
        raise RerankerError(f"The memory's {path.name} can't be read: {error}.") from error
