"""Loads the model, cuts it into trunk and sentence head, runs batches."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.files import MODEL_SHA256, SIZE, WEIGHTS, files_checked
from chatbot.core.encoder.layers import below, layers_of, layers_run, norm_of
from chatbot.core.encoder.values import SENTENCE, Encoded, Floats, Head, JoinedHead, Part

LAYERS = 6
TRUNK_LAYERS = 3
WINDOW = 256  # tokens, [CLS] and [SEP] included
OVERLAP = 32
MOST_WINDOWS = 128  # a text of 20,000 characters in the worst script; what comes after is not read
BATCH = 32
FEW = 320  # tokens, padding included, that one call takes whatever their lengths

Token = TypeVar("Token")

_threads_set = threading.Event()


def windows_of(ids: Sequence[Token], *, cls: Token, sep: Token) -> list[list[Token]]:
    """Tokens (their ids, or their places) in windows of at most 256, each with its [CLS] and [SEP], neighbours sharing
    32 tokens."""
    room = WINDOW - 2
    found = [[cls, *ids[:room], sep]]
    start = room - OVERLAP
    while start + OVERLAP < len(ids) and len(found) < MOST_WINDOWS:
        found.append([cls, *ids[start : start + room], sep])
        start += room - OVERLAP
    return found


def groups_of(lengths: Sequence[int], *, most: int = BATCH) -> list[list[int]]:
    """Indices in batches of at most `most`, short with short: in a batch at most half of the places are padding. A few
    short ones go together whatever their lengths, since a call costs more than its padding."""
    if len(lengths) <= most and len(lengths) * max(lengths, default=0) <= FEW:
        return [sorted(range(len(lengths)), key=lambda at: lengths[at])] if lengths else []
    order = sorted(range(len(lengths)), key=lambda at: lengths[at])
    groups: list[list[int]] = []
    total = 0
    for at in order:
        group = groups[-1] if groups else None
        if group is not None and len(group) < most and lengths[at] * (len(group) + 1) <= 2 * (total + lengths[at]):
            group.append(at)
            total += lengths[at]
        else:
            groups.append([at])
            total = lengths[at]
    return groups


def mean_pooled(hidden: Any, mask: Any) -> Any:
    """The mean of the real tokens, at unit length: what the model was trained for."""
    import torch

    weights = mask.unsqueeze(-1).to(hidden.dtype)
    pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(pooled, p=2, dim=1)


class Embeddings:
    """Word, position and kind of text (there is only one), and their norm."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.words = weights["word_embeddings.weight"]
        self.places = weights["position_embeddings.weight"] + weights["token_type_embeddings.weight"][0]
        self.norm = norm_of(weights, "LayerNorm")

    def __call__(self, ids: Any) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(self.words[ids] + self.places[: ids.shape[1]], *self.norm)


class UpperLayers:
    """The head `sentence`: the model's own upper layers and mean pooling."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers = layers

    def __call__(self, hidden: Any, mask: Any) -> Any:
        return mean_pooled(layers_run(self.layers, hidden, mask), mask)


class TrunkModel:
    """The loaded encoder. Not thread safe: one thread calls `run`. Raises EncoderError if it can't be loaded."""

    def __init__(self, directory: Path, *, sha256: str = MODEL_SHA256, threads: int = 1) -> None:
        files_checked(directory, sha256=sha256)
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        if not _threads_set.is_set():
            torch.set_num_threads(threads)
            _threads_set.set()
        try:
            weights = load_file(directory / WEIGHTS)
            # DANGER: this file asks for padding to 128 and cuts at 128; both off, or long messages lose their end.
            self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
            self.tokenizer.no_padding()
            self.tokenizer.no_truncation()
            self.embedded = Embeddings(below(weights, "embeddings."))
            layers = layers_of(weights, LAYERS, prefix="encoder.layer.")
        except Exception as error:  # whatever a broken file provokes is the same news for the operator
            raise EncoderError(f"The sentence encoder in {directory} can't be loaded: {error}") from error
        self.cls, self.sep, self.pad = (self._special(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        self.lower = layers[:TRUNK_LAYERS]
        self.sentence = UpperLayers(layers[TRUNK_LAYERS:])

    def run(
        self, texts: Sequence[str], *, heads: Mapping[str, Head], wanted: Sequence[Sequence[str]] | None = None
    ) -> list[Encoded]:
        """Encodes texts: the trunk once per window, then for each text the heads that are `wanted` for it, by name;
        without `wanted`, the sentence head and all of `heads` for every text."""
        import torch

        spans: list[tuple[int, int]] = []
        windows: list[list[int]] = []
        for ids in self._ids(texts):
            found = windows_of(ids, cls=self.cls, sep=self.sep)
            spans.append((len(windows), len(windows) + len(found)))
            windows.extend(found)
        hidden: list[Floats] = [np.empty(0, np.float32)] * len(windows)
        every = {SENTENCE: self.sentence, **heads}
        asked = wanted or [tuple(every)] * len(texts)
        owner = [at for at, (first, last) in enumerate(spans) for _ in range(first, last)]
        outputs: dict[str, list[Floats]] = {name: list(hidden) for name in every}
        with torch.inference_mode():
            for group in groups_of([len(window) for window in windows]):
                states, mask = self._trunk([windows[at] for at in group])
                given = states.numpy()
                for row, at in enumerate(group):
                    hidden[at] = given[row, : len(windows[at])]
                for name, head in every.items():
                    rows = [row for row, at in enumerate(group) if name in asked[owner[at]]]
                    if not rows:
                        continue
                    some = (states, mask) if len(rows) == len(group) else _rows(states, mask, rows)
                    for row, values in zip(rows, head(*some).numpy(), strict=True):
                        outputs[name][group[row]] = values
        return [
            Encoded(
                array=_one(outputs[SENTENCE][first:last]) if SENTENCE in names else np.empty(0, np.float32),
                hidden=tuple(hidden[first:last]),
                outputs={name: np.stack(outputs[name][first:last]) for name in names if name in heads},
            )
            for (first, last), names in zip(spans, asked, strict=True)
        ]

    def run_joined(self, runs: Sequence[Sequence[Part]], *, head: JoinedHead) -> list[Floats]:
        """What a head gives for parts laid side by side; each was read by the trunk before."""
        import torch

        lengths = [sum(len(part.hidden) for part in run) for run in runs]
        found: list[Floats] = [np.empty(0, np.float32)] * len(runs)
        with torch.inference_mode():
            for group in groups_of(lengths):
                longest = max(lengths[at] for at in group)
                hidden = np.zeros((len(group), longest, SIZE), np.float32)
                kinds = np.zeros((len(group), longest), np.int64)
                mask = np.zeros((len(group), longest), np.bool_)
                for row, at in enumerate(group):
                    filled = 0
                    for part in runs[at]:
                        until = filled + len(part.hidden)
                        hidden[row, filled:until], kinds[row, filled:until] = part.hidden, part.kind
                        filled = until
                    mask[row, :filled] = True
                values = head(torch.from_numpy(hidden), torch.from_numpy(kinds), torch.from_numpy(mask)).numpy()
                for row, at in enumerate(group):
                    found[at] = values[row]
        return found

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        if len(texts) == 1:  # the usual message; a batch would wake the tokenizer's threads for it
            return [self.tokenizer.encode(texts[0], add_special_tokens=False).ids]
        return [found.ids for found in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def _special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise EncoderError(f"The sentence encoder's tokenizer has no {token}.")
        return int(found)

    def _trunk(self, windows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        import torch

        longest = max(len(window) for window in windows)
        ids = torch.tensor([[*window, *[self.pad] * (longest - len(window))] for window in windows])
        mask = torch.tensor([[True] * len(window) + [False] * (longest - len(window)) for window in windows])
        return layers_run(self.lower, self.embedded(ids), mask), mask


def _rows(states: Any, mask: Any, rows: Sequence[int]) -> tuple[Any, Any]:
    """Some rows of a batch, without the padding that only the others needed."""
    real = mask[list(rows)]
    longest = int(real.sum(1).max())
    return states[list(rows), :longest], real[:, :longest]


def _one(vectors: Sequence[Floats]) -> Floats:
    """The vector of a text from those of its windows."""
    if len(vectors) == 1:
        return vectors[0]
    mean = np.mean(np.stack(vectors), axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)
