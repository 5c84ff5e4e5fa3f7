"""What follows what: a vector for what was said and one for a reply, close where the one may follow the other.

Two towers on the shared trunk, trained on dialogues (training/next_turn). Replies are read once, when the bank is
prepared; what was said is read in the turn, the last lines side by side, each as the trunk gave it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder import SIZE, TAIL_TOKENS, TRUNK, Encoder, EncoderError, Floats, Part, encoder
from chatbot.core.encoder.eight import widened
from companion.pinned import pinned

WEIGHTS: Final = Path(__file__).with_name("next_turn.safetensors")
SHA256: Final = "816dba4ccb13f0d25c232f0b8e1d04a98c7f610452c04070b6929084d36862d7"
SAID, REPLY = "next_turn_said", "next_turn_reply"
BEFORE: Final = 3  # lines that are read together with the message
TOKENS: Final = TAIL_TOKENS  # of each line: its end


class NextTurn:
    """Raises EncoderError from every call where the weights are missing or not the pinned ones."""

    def __init__(self, *, path: Path = WEIGHTS, sha256: str = SHA256, shared: Encoder | None = None) -> None:
        self._path, self._sha256, self._shared = path, sha256, shared
        self._weights: Mapping[str, Any] | None = None
        self._lock = threading.Lock()

    def replies(self, texts: Sequence[str]) -> Floats:
        """(n, 384) of unit length."""
        if not texts:
            return np.zeros((0, SIZE), np.float32)
        found = self._encoder().encode(texts, heads=(TRUNK, REPLY))
        return np.stack([one.outputs[REPLY][-1] for one in found])

    async def said(self, lines: Sequence[str]) -> Floats:
        """(2, 384) of unit length: all the lines together, and the last by itself. lines: of both sides, oldest first;
        the last is the message to answer."""
        own, lines = self._encoder(), lines[-1 - BEFORE :]
        tails = {line: own.tails.find(line) for line in lines}
        new = [line for line, tail in tails.items() if tail is None]
        for line, one in zip(new, await own.encode_many_async(new, heads=(TRUNK,)), strict=True):
            tails[line] = own.tails.keep(line, one)
        runs = [parts_of([tails[line] for line in some]) for some in (lines, lines[-1:])]
        return np.stack(await own.joined_async(runs, head=SAID))

    def _encoder(self) -> Encoder:
        own = self._shared or encoder()
        own.joined_head_ensure(SAID, lambda: SaidTower(self.weights))
        own.head_ensure(REPLY, lambda: ReplyTower(self.weights))
        return own

    def weights(self) -> Mapping[str, Any]:
        """By name, as tensors. Raises EncoderError."""
        import torch
        from safetensors import SafetensorError
        from safetensors.numpy import load

        with self._lock:
            if self._weights is None:
                try:
                    wide = widened(load(pinned(self._path, self._sha256)))
                except (OSError, ValueError, SafetensorError) as error:
                    raise EncoderError(f"The companion's {self._path.name} can't be read: {error}.") from error
                self._weights = {name: torch.from_numpy(value) for name, value in wide.items()}
            return self._weights


def parts_of(tails: Sequence[Floats | None]) -> list[Part]:
    """The ends of the lines, oldest first; the kind of a part is how far it stands from the last."""
    return [Part(tail, len(tails) - 1 - at) for at, tail in enumerate(tails) if tail is not None]


class SaidTower:
    """A joined head: (runs, 384) of unit length."""

    def __init__(self, weights: Any) -> None:
        self._weights = weights
        self._layers: list[Any] | None = None

    def __call__(self, hidden: Any, kinds: Any, mask: Any) -> Any:
        import torch

        from chatbot.core.encoder.layers import layers_run

        weights = self._weights()
        if self._layers is None:
            self._layers = _tower(weights, "said.")
        states = layers_run(self._layers, hidden + weights["kinds.weight"][kinds], mask)
        message, whole = (_mean(states, chosen) for chosen in (mask & (kinds == 0), mask))
        return _out(torch.cat([message, whole], dim=1), weights, "said_out")


class ReplyTower:
    """A head: (windows, 384) of unit length."""

    def __init__(self, weights: Any) -> None:
        self._weights = weights
        self._layers: list[Any] | None = None

    def __call__(self, hidden: Any, mask: Any) -> Any:
        from chatbot.core.encoder.layers import layers_run

        weights = self._weights()
        if self._layers is None:
            self._layers = _tower(weights, "reply.")
        return _out(_mean(layers_run(self._layers, hidden, mask), mask), weights, "reply_out")


def _tower(weights: Mapping[str, Any], prefix: str) -> list[Any]:
    from chatbot.core.encoder.layers import layers_of, quick

    count = len({name.split(".")[1] for name in weights if name.startswith(prefix)})
    return list(layers_of(weights, count, prefix=prefix, made=quick()))


def _mean(states: Any, chosen: Any) -> Any:
    real = chosen.unsqueeze(-1)
    return (states * real).sum(1) / real.sum(1).clamp(min=1)


def _out(states: Any, weights: Mapping[str, Any], name: str) -> Any:
    from torch.nn.functional import linear, normalize

    return normalize(linear(states, weights[f"{name}.weight"], weights[f"{name}.bias"]), dim=1)
