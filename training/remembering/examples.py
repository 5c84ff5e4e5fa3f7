"""A row as the tagger sees it, and the tags that it should give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from chatbot.core.encoder import TRUNK, Encoded
from chatbot.core.encoder.multilingual import multilingual
from companion.memory.dates import times_in
from companion.memory.extract import ended_in, facts_in
from companion.memory.lexicon import LISTS
from companion.memory.reading import places_said
from companion.memory.tagger import marked
from companion.memory.tokens import MOST_PIECES, Place, Tokens, tokens_of
from companion.memory.told import BEGIN, CHANNELS, INSIDE
from training.remembering.net import SIZE
from training.remembering.rows import Row

TOGETHER = 512  # rows that are sorted by length, so that a batch has little padding


@dataclass(frozen=True, eq=False)
class Example:
    """hidden: (tokens, 384) from the trunk, in 16 bits. places, said: what the patterns found. tags: (tokens,
    channels)."""

    row: Row
    tokens: Tokens
    hidden: npt.NDArray[np.float16]
    places: tuple[tuple[str, Place], ...]
    said: npt.NDArray[np.int8]
    tags: npt.NDArray[np.int8]


def examples_of(rows: Sequence[Row]) -> Iterator[Example]:
    """Of those that fit one window."""
    for row, encoded in zip(rows, _encoded(rows), strict=True):
        if len(encoded.hidden) > 1:
            continue
        places = encoded.places[0]
        found = tuple(places_said(row.text, facts_in(row.text, row.language, row.at), ended_in(row.text, row.language)))
        right = marked(places, row.spans)
        yield Example(
            row,
            tokens_of(row.text, places, times_in(row.text, row.at.date(), row.language), row.language),
            encoded.hidden[0].astype(np.float16),
            found,
            marked(places, found).astype(np.int8),
            np.where(right[:, 0::2] > 0, BEGIN, np.where(right[:, 1::2] > 0, INSIDE, 0)).astype(np.int8),
        )


def _encoded(rows: Sequence[Row]) -> Iterator[Encoded]:
    for start in range(0, len(rows), TOGETHER):
        yield from multilingual().encode([row.text for row in rows[start : start + TOGETHER]], heads=(TRUNK,))


def batches(examples: Sequence[Example], tokens: int, draw: np.random.Generator | None = None) -> list[list[int]]:
    """Numbers of examples of like length, at most so many tokens with their padding; drawn anew each time."""
    order = list(range(len(examples)))
    if draw is not None:
        order = draw.permutation(order).tolist()
    step = TOGETHER if draw is not None else len(order) or 1
    found: list[list[int]] = []
    for start in range(0, len(order), step):
        some: list[int] = []
        for one in sorted(order[start : start + step], key=lambda one: len(examples[one].tokens.places)):
            if some and (len(some) + 1) * len(examples[one].tokens.places) > tokens:
                found.append(some)
                some = []
            some.append(one)
        found.append(some)
    return found if draw is None else [found[at] for at in draw.permutation(len(found))]


def laid(examples: Sequence[Example], some: Sequence[int]) -> tuple[dict[str, Tensor], Tensor]:
    """What the net sees of these, and the right tags (texts, tokens, channels)."""
    count, longest = len(some), max(len(examples[one].tokens.places) for one in some)
    seen = {
        "hidden": torch.zeros(count, longest, SIZE),
        "word": torch.zeros(count, longest, dtype=torch.long),
        "pieces": torch.zeros(count, longest, MOST_PIECES, dtype=torch.long),
        "shape": torch.zeros(count, longest, dtype=torch.long),
        "time": torch.zeros(count, longest, dtype=torch.long),
        "lists": torch.zeros(count, longest, len(LISTS)),
        "said": torch.zeros(count, longest, 2 * len(CHANNELS)),
        "mask": torch.zeros(count, longest, dtype=torch.bool),
    }
    tags = torch.zeros(count, longest, len(CHANNELS), dtype=torch.long)
    for at, one in enumerate(some):
        example, size = examples[one], len(examples[one].tokens.places)
        for name in ("word", "pieces", "shape", "time", "lists"):
            seen[name][at, :size] = torch.from_numpy(getattr(example.tokens, name))
        seen["hidden"][at, :size] = torch.from_numpy(example.hidden.astype(np.float32))
        seen["said"][at, :size] = torch.from_numpy(example.said.astype(np.float32))
        seen["mask"][at, :size] = True
        tags[at, :size] = torch.from_numpy(example.tags)
    seen["language"] = torch.tensor([examples[one].tokens.language for one in some])
    return seen, tags
