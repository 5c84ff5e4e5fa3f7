"""Weights as they ship: upper layers and word pieces in 8 bits with a scale for each row, the small rest in 16."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder.eight import widened

EIGHT: Final = ("layers.", "grams.", "said.", "reply.", "words.", "pieces.")  # what begins so


def quantised(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """Matrices of the layers and of the pieces become NAME (int8) and NAME.scale; the error is under 1/254 of the
    largest number of the row."""
    packed: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        if value.ndim == 2 and name.startswith(EIGHT):
            scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-8) / 127
            packed[name] = np.round(value / scale).astype(np.int8)
            packed[f"{name}.scale"] = scale.astype(np.float16)
        else:
            packed[name] = value.astype(np.float16)
    return packed


def weights_write(net: Any, out: Path) -> None:
    """OUT.safetensors, in 8 bits, as it ships. net: a module of torch."""
    from safetensors.numpy import save_file

    weights = {name: weight.float().cpu().numpy() for name, weight in net.state_dict().items()}
    save_file(quantised(weights), out.with_suffix(".safetensors"))


def weights_start(net: Any, path: Path) -> None:
    """Goes on from weights in 8 bits."""
    import torch
    from safetensors.numpy import load_file

    wide = widened(load_file(path))
    net.load_state_dict({name: torch.from_numpy(value) for name, value in wide.items()})
