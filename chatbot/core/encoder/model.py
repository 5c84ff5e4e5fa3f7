"""Runs batches through a model: its trunk once for each text, and the heads that stand on it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.layers import layers_run
from chatbot.core.encoder.values import SENTENCE, Encoded, Floats, Head, JoinedHead, Part

SIZE: Final = 384  # floats of a token, and of a sentence vector
WINDOW = 256  # tokens, the marks of begin and end included
OVERLAP = 32
MOST_WINDOWS = 128  # a text of 20,000 characters in the worst script; what comes after is not read
BATCH = 32
FEW = 320  # tokens, padding included, that one call takes whatever their lengths

Token = TypeVar("Token")
Place = tuple[int, int]

# Halves of letters, which no tokenizer takes, and signs that stand for whole words: one of them is up to 18 tokens, and
# a text of them holds up everybody who waits.
_ODD: Final = re.compile("[\ud800-\udfff\ufdf0-\ufdfd\u3300-\u33ff]")

_threads_set = threading.Event()


def windows_of(ids: Sequence[Token], *, begin: Token, end: Token) -> list[list[Token]]:
    """Tokens (their ids, or their places) in windows of at most 256, each with the marks of begin and end, neighbours
    sharing 32 tokens."""
    room = WINDOW - 2
    found = [[begin, *ids[:room], end]]
    start = room - OVERLAP
    while start + OVERLAP < len(ids) and len(found) < MOST_WINDOWS:
        found.append([begin, *ids[start : start + room], end])
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


@dataclass(frozen=True, eq=False)
class Opened:
    """A model's files, opened. marks: the tokens that stand for begin, end and padding; embedded: from token ids
    (texts, tokens) to states (texts, tokens, 384); lower: the layers that everybody's heads stand on; sentence: the
    head that gives a vector, where the model has one."""

    tokenizer: Any
    marks: tuple[str, str, str]
    embedded: Callable[[Any], Any]
    lower: Sequence[Any]
    sentence: Head | None = None


class TrunkModel:
    """Not thread safe: one thread calls `run`. Raises EncoderError where the tokenizer lacks one of its marks."""

    def __init__(self, opened: Opened, *, threads: int = 1) -> None:
        import torch

        if not _threads_set.is_set():
            torch.set_num_threads(threads)
            _threads_set.set()
        self.tokenizer, self.embedded, self.lower = opened.tokenizer, opened.embedded, opened.lower
        self.begin, self.end, self.pad = (self._special(token) for token in opened.marks)
        self.own = {} if opened.sentence is None else {SENTENCE: opened.sentence}

    def run(
        self, texts: Sequence[str], *, heads: Mapping[str, Head], wanted: Sequence[Sequence[str]] | None = None
    ) -> list[Encoded]:
        """Encodes texts: the trunk once per window, then for each text the heads that are `wanted` for it, by name;
        without `wanted`, the model's own and all of `heads` for every text."""
        import torch

        spans: list[tuple[int, int]] = []
        windows: list[list[int]] = []
        read = self.windows(texts)
        for found, _ in read:
            spans.append((len(windows), len(windows) + len(found)))
            windows.extend(found)
        hidden: list[Floats] = [np.empty(0, np.float32)] * len(windows)
        every = {**self.own, **heads}
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
                places=places,
                outputs={name: np.stack(outputs[name][first:last]) for name in names if name in heads},
            )
            for (_, places), (first, last), names in zip(read, spans, asked, strict=True)
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

    def windows(self, texts: Sequence[str]) -> list[tuple[list[list[int]], tuple[tuple[Place, ...], ...]]]:
        """Of each text its windows: the ids of their tokens, and where these stand in it."""
        return [
            (windows_of(one.ids, begin=self.begin, end=self.end), _places(text, one.offsets))
            for text, one in zip(texts, self._read(texts), strict=True)
        ]

    def _read(self, texts: Sequence[str]) -> list[Any]:
        """Token ids and offsets of each."""
        whole = [_ODD.sub("?", text) for text in texts]
        if len(whole) == 1:  # the usual message; a batch would wake the tokenizer's threads for it
            return [self.tokenizer.encode(whole[0], add_special_tokens=False)]
        return list(self.tokenizer.encode_batch(whole, add_special_tokens=False))

    def _special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise EncoderError(f"The encoder's tokenizer has no {token}.")
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


def _places(text: str, offsets: Sequence[Place]) -> tuple[tuple[Place, ...], ...]:
    """By window; a token that begins at the space before its word begins at the word."""
    bare = [_bare(text, *place) for place in offsets]
    return tuple(tuple(one) for one in windows_of(bare, begin=(0, 0), end=(0, 0)))


def _bare(text: str, start: int, end: int) -> Place:
    while start < end and text[start].isspace():
        start += 1
    return (start, end) if start < end else (0, 0)
