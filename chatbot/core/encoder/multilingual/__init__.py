"""An encoder that has read all four languages, for heads that read a message word by word: the lower half of
multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT), with the pieces of words that the four languages need.
It gives no vector of a sentence; docs/cards/multilingual.md says how the files were made.

    encoded = multilingual().encode(["hola, me llamo Íñigo"])[0]
    encoded.hidden[0], encoded.places[0]        # (tokens, 384) of the first window, and where its tokens stand
"""

from __future__ import annotations

import functools
import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.four import rows_widened
from chatbot.core.encoder.layers import EPSILON, layers_of, layers_run
from chatbot.core.encoder.model import groups_of, windows_of
from chatbot.core.encoder.values import Encoded, Floats

FOLDER: Final = Path(__file__).parent
TOKENIZER, WORDS, LAYERS = "tokenizer.json", "words.safetensors", "layers.safetensors"
SHA256: Final = "f9a405127a8adc092a786eb63ef6c3064d939c1de8fb49c297b839a1c91a8e2d"  # of the three, one after the other
TRUNK_LAYERS: Final = 6
BEGIN, PAD, END = "<s>", "<pad>", "</s>"

_HALVES: Final = re.compile("[\ud800-\udfff]")  # of letters; the tokenizer refuses them

Place = tuple[int, int]


class Multilingual:
    """Thread safe. Raises EncoderError that says what is wrong with the files."""

    def __init__(self, folder: Path = FOLDER, *, sha256: str = SHA256) -> None:
        import torch
        from safetensors.numpy import load
        from tokenizers import Tokenizer

        try:
            files = {name: (folder / name).read_bytes() for name in (TOKENIZER, WORDS, LAYERS)}
            found = hashlib.sha256(b"".join(files.values())).hexdigest()
            if found != sha256:
                raise ValueError(f"they are not the pinned ones: sha256 {found}")
            self._tokenizer = Tokenizer.from_buffer(files[TOKENIZER])
            self._words = load(files[WORDS])
            lower = {name: torch.from_numpy(value) for name, value in _widened(load(files[LAYERS])).items()}
            # DANGER: in 8 bits, which is half the time, what stands on it finds a tenth less.
            self._layers = layers_of(lower, TRUNK_LAYERS)
            self._begin, self._pad, self._end = (self._special(token) for token in (BEGIN, PAD, END))
        except Exception as error:  # whatever a broken file provokes is the same news for the operator
            raise EncoderError(f"The files of the encoder for four languages can't be read: {error}") from error
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """hidden and places of each."""
        import torch

        whole = [_HALVES.sub("?", text) for text in texts]
        one_only = len(whole) == 1  # the usual message; a batch would wake the tokenizer's threads for it
        read = [self._tokenizer.encode(whole[0])] if one_only else self._tokenizer.encode_batch(whole)
        windows = [windows_of(one.ids, cls=self._begin, sep=self._end) for one in read]
        owner = [(text, number) for text, some in enumerate(windows) for number in range(len(some))]
        hidden = [[np.empty(0, np.float32)] * len(some) for some in windows]
        with self._lock, torch.inference_mode():
            for group in groups_of([len(windows[text][number]) for text, number in owner]):
                some = [windows[text][number] for text, number in (owner[at] for at in group)]
                given = self._run(some)
                for row, at in enumerate(group):
                    text, number = owner[at]
                    hidden[text][number] = given[row, : len(some[row])]
        return [
            Encoded(array=np.empty(0, np.float32), hidden=tuple(hidden[at]), places=_places(texts[at], one.offsets))
            for at, one in enumerate(read)
        ]

    def _special(self, token: str) -> int:
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the tokenizer has no {token}")
        return found

    def _run(self, windows: Sequence[Sequence[int]]) -> Floats:
        import torch
        from torch.nn.functional import layer_norm

        longest, words = max(len(window) for window in windows), self._words
        ids = np.array([[*window, *[self._pad] * (longest - len(window))] for window in windows])
        mask = torch.from_numpy(np.array([[at < len(window) for at in range(longest)] for window in windows]))
        rows = rows_widened(words["words"][ids.ravel()], words["words.scale"][ids.ravel()])
        states = rows.reshape(*ids.shape, -1) + words["places"][:longest].astype(np.float32)
        weight, bias = (torch.from_numpy(words[f"norm.{name}"].astype(np.float32)) for name in ("weight", "bias"))
        begun = layer_norm(torch.from_numpy(states), (states.shape[-1],), weight, bias, EPSILON)
        return np.asarray(layers_run(self._layers, begun, mask).numpy(), np.float32)


def _widened(raw: Mapping[str, Any]) -> dict[str, Floats]:
    packed = [name for name in raw if f"{name}.scale" in raw]
    small = {
        name: value.astype(np.float32)
        for name, value in raw.items()
        if name not in packed and not name.endswith(".scale")
    }
    return small | {name: rows_widened(raw[name], raw[f"{name}.scale"]) for name in packed}


def _places(text: str, offsets: Sequence[Place]) -> tuple[tuple[Place, ...], ...]:
    """By window; a token that begins at the space before its word begins at the word."""
    return tuple(tuple(one) for one in windows_of([_bare(text, *place) for place in offsets], cls=(0, 0), sep=(0, 0)))


def _bare(text: str, start: int, end: int) -> Place:
    while start < end and text[start].isspace():
        start += 1
    return (start, end) if start < end else (0, 0)


@functools.cache
def multilingual() -> Multilingual:
    """One for the process, loaded on first use. Raises EncoderError."""
    return Multilingual()
