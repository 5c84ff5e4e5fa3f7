"""Weights as they ship: upper layers in 8 bits with a scale for each row, hashed pieces of words of the classifier in
4, the small rest in 16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chatbot.core.encoder import four
from chatbot.core.encoder.eight import widened

FOUR: Final = "grams.weight"
EIGHT: Final = ("layers.", "said.", "reply.", "words.", "pieces.")  # what begins so


def quantised(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """Matrices of the layers and of the pieces become NAME (int8) and NAME.scale; the error is under 1/254 of the
    largest number of the row."""
    packed: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        if name == FOUR:
            packed[name], packed[f"{name}.scale"] = four.packed(value)
        elif value.ndim == 2 and name.startswith(EIGHT):
            scale = np.maximum(np.abs(value).max(axis=1, keepdims=True), 1e-8) / 127
            packed[name] = np.round(value / scale).astype(np.int8)
            packed[f"{name}.scale"] = scale.astype(np.float16)
        else:
            packed[name] = value.astype(np.float16)
    return packed


def weights_write(net: Any, out: Path, **beside: npt.NDArray[Any]) -> None:
    """OUT.safetensors, as it ships. net: a module of torch; beside: what else is to stand in it."""
    from safetensors.numpy import save_file

    weights = {name: weight.float().cpu().numpy() for name, weight in net.state_dict().items()}
    save_file({**quantised(weights), **beside}, out.with_suffix(".safetensors"))


def wide(raw: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float32]]:
    """Weights as they ship, in full precision; pieces of words in 4 bits or, as they were before 0.5.0, in 8."""
    found = widened(raw, leave=FOUR)
    if FOUR in raw:
        spelt, scale = raw[FOUR], raw[f"{FOUR}.scale"]
        found[FOUR] = four.rows_widened(spelt, scale) if spelt.dtype == np.uint8 else spelt * scale.astype(np.float32)
    return found


def weights_start(net: Any, path: Path, *, only: Sequence[str] = ()) -> None:
    """Goes on from weights as they ship; with `only`, from those whose names begin so, and the rest stays as it is."""
    import torch
    from safetensors.numpy import load_file

    chosen = {
        name: torch.from_numpy(value)
        for name, value in wide(load_file(path)).items()
        if not only or name.startswith(tuple(only))
    }
    net.load_state_dict(chosen, strict=not only)
