"""An encoder that has read all four languages, the lower half of
multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT), with the pieces of words that the four languages need.
It gives no vector of a sentence; docs/cards/multilingual.md says how the files were made.

    encoded = multilingual().encode(["hola, me llamo Íñigo"], heads=(TRUNK,))[0]
    encoded.hidden[0], encoded.places[0]        # (tokens, 384) of the first window, and where its tokens stand
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.four import rows_widened, widened
from chatbot.core.encoder.layers import EPSILON, layers_of
from chatbot.core.encoder.model import Opened
from chatbot.core.encoder.service import Shared

FOLDER: Final = Path(__file__).parent
TOKENIZER, WORDS, LAYERS = "tokenizer.json", "words.safetensors", "layers.safetensors"
SHA256: Final = "f9a405127a8adc092a786eb63ef6c3064d939c1de8fb49c297b839a1c91a8e2d"  # of the three, one after the other
TRUNK_LAYERS: Final = 6
BEGIN, PAD, END = "<s>", "<pad>", "</s>"


def multilingual_opened(folder: Path = FOLDER, *, sha256: str = SHA256) -> Opened:
    """Raises EncoderError that says what is wrong with the files."""
    import torch
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    try:
        files = {name: (folder / name).read_bytes() for name in (TOKENIZER, WORDS, LAYERS)}
        found = hashlib.sha256(b"".join(files.values())).hexdigest()
        if found != sha256:
            raise ValueError(f"they are not the pinned ones: sha256 {found}")
        lower = {name: torch.from_numpy(value) for name, value in widened(load(files[LAYERS])).items()}
        # DANGER: in 8 bits, which is half the time, what stands on it finds a tenth less.
        layers = layers_of(lower, TRUNK_LAYERS)
        return Opened(
            Tokenizer.from_buffer(files[TOKENIZER]), (BEGIN, END, PAD), Embeddings(load(files[WORDS])), layers
        )
    except Exception as error:  # whatever a broken file provokes is the same news for the operator
        raise EncoderError(f"The files of the encoder for four languages can't be read: {error}") from error


class Embeddings:
    """Word and position, and their norm; words stay in 4 bits until they are asked for."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        import torch

        self.words, self.scales = words["words"], words["words.scale"]
        self.places = torch.from_numpy(words["places"].astype(np.float32))
        weight, bias = (torch.from_numpy(words[f"norm.{name}"].astype(np.float32)) for name in ("weight", "bias"))
        self.norm = (tuple(weight.shape), weight, bias, EPSILON)

    def __call__(self, ids: Any) -> Any:
        import torch
        from torch.nn.functional import layer_norm

        flat = ids.numpy().ravel()
        rows = torch.from_numpy(rows_widened(self.words[flat], self.scales[flat]))
        return layer_norm(rows.view(*ids.shape, -1) + self.places[: ids.shape[1]], *self.norm)


@functools.cache
def opened() -> Opened:
    """What ships, read once in a process and by those that are forked off from it."""
    return multilingual_opened()


multilingual: Final = Shared(opened)
