"""A small net that reads a message's tokens once more and says of each what it tells. Learnt from rows that people
wrote (training/remembering), over the encoder for four languages; what the patterns found is part of what it sees.

Tags are begin, inside and outside (Ramshaw and Marcus 1995, arXiv:cmp-lg/9505040), one set for each channel, since one
word may tell two things ("nervous about the match on friday"). Tags alone are too sure of themselves, so the chance of
each thing told is learnt apart, on rows that the net had not read (logistic regression, after Platt 1999).
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder import EncoderError, Floats
from chatbot.core.encoder.eight import widened
from companion.memory.tokens import Place, Tokens
from companion.memory.told import CHANNELS, SEEN
from companion.pinned import pinned

WEIGHTS: Final = Path(__file__).with_name("tagger.safetensors")
SHA256: Final = "a4c2da434a5cd5a9245874e3f51dd1939e330d95138d48a5c4f50dd5bc0cd2c0"
# What the weights were made for.
MADE_FOR: Final = int(hashlib.sha256(" ".join((*CHANNELS, *SEEN)).encode()).hexdigest()[:3], 16)


class Tagger:
    """Thread safe."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        """weights: tensors by name. Raises KeyError, ValueError."""
        from chatbot.core.encoder.layers import layers_of, quick

        if int(weights["made_for"]) != MADE_FOR:
            raise ValueError("it was made for other kinds")
        self._weights = weights
        count = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
        self._layers = layers_of(weights, count, prefix="layers.", made=quick())
        self._lock = threading.Lock()

    def tags(self, hidden: Floats, tokens: Tokens, said: Floats) -> Floats:
        """How likely each tag is: (tokens, channels, 3). hidden: (tokens, 384) from the trunk; said: (tokens, 2 x
        channels), where the patterns found that something begins or goes on."""
        import torch
        from torch.nn.functional import linear

        from chatbot.core.encoder.layers import layers_run

        of = self._weights
        with torch.inference_mode(), self._lock:
            pieces = torch.from_numpy(tokens.pieces).long()
            real = (pieces > 0).unsqueeze(-1)
            mean = (of["pieces.weight"][pieces] * real).sum(1) / real.sum(1).clamp(min=1)
            letters = torch.cat([of["words.weight"][torch.from_numpy(tokens.word).long()], mean], dim=1)
            found = torch.from_numpy(said)
            states = (
                torch.from_numpy(hidden)
                + linear(letters, of["mix.weight"], of["mix.bias"])
                + of["shape.weight"][torch.from_numpy(tokens.shape).long()]
                + of["time.weight"][torch.from_numpy(tokens.time).long()]
                + of["language.weight"][tokens.language]
                + linear(torch.from_numpy(tokens.lists).float(), of["lists.weight"])
                + linear(found, of["said.weight"])
            )
            mask = torch.ones(1, len(states), dtype=torch.bool)
            states = layers_run(self._layers, states[None], mask)[0]
            given = linear(torch.cat([states, letters, found], dim=1), of["out.weight"], of["out.bias"])
            return np.asarray(given.view(len(states), len(CHANNELS), 3).softmax(-1).numpy(), np.float32)

    def chance(self, seen: Floats) -> float:
        """That a thing told is right, by what is seen of it: (SEEN,)."""
        odds = float(seen @ self._weights["chance.weight"].numpy() + float(self._weights["chance.bias"]))
        return 1 / (1 + float(np.exp(-odds)))


def marked(places: Sequence[Place], said: Sequence[tuple[str, Place]]) -> Floats:
    """Where something begins (even columns) and goes on, by channel: (tokens, 2 x channels), 0 or 1."""
    found = np.zeros((len(places), 2 * len(CHANNELS)), np.float32)
    for channel, (start, end) in said:
        column = 2 * CHANNELS.index(channel)
        inside = [at for at, (first, last) in enumerate(places) if first < last and first < end and start < last]
        found[inside[:1], column] = 1
        found[inside[1:], column + 1] = 1
    return found


@functools.cache
def tagger(path: Path = WEIGHTS, sha256: str = SHA256) -> Tagger:
    """Raises EncoderError."""
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        wide = widened(load(pinned(path, sha256)))
        return Tagger({name: torch.from_numpy(value) for name, value in wide.items()})
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise EncoderError(f"The memory's {path.name} can't be read: {error}.") from error
