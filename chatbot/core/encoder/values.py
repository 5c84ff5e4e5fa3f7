"""What the encoder gives, and what a head is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SENTENCE = "sentence"
Floats = npt.NDArray[np.float32]


class Head(Protocol):
    """Upper layers on the trunk. Called in the encoder's thread, without gradients, with torch tensors:
    hidden (windows, tokens, 384) and mask (windows, tokens; True where a token stands); returns (windows, n)."""

    def __call__(self, hidden: Any, mask: Any) -> Any: ...


class JoinedHead(Protocol):
    """Upper layers that read several texts side by side, each as the trunk gave it. Called in the encoder's thread,
    without gradients: hidden (runs, tokens, 384), kinds (runs, tokens) as the parts say, mask (runs, tokens; True
    where a token stands); returns (runs, n)."""

    def __call__(self, hidden: Any, kinds: Any, mask: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class Part:
    """A text in its place among others. hidden: (tokens, 384) from the trunk; kind: what it is to the head."""

    hidden: Floats
    kind: int = 0


@dataclass(frozen=True, eq=False)
class Encoded:
    """One text, encoded once and handed on as a value.

    array: 384 float32 of unit length (the mean of the windows of a long text); empty where no vector was asked for.
    hidden: what the trunk gave, a (tokens, 384) array per window of at most 256 tokens.
    places: where in the text each of those tokens stands, by window; (0, 0) for one that stands for no letter.
    outputs: what the heads that were asked for gave, (windows, n) each.
    """

    array: Floats
    hidden: tuple[Floats, ...] = ()
    places: tuple[tuple[tuple[int, int], ...], ...] = ()
    outputs: Mapping[str, Floats] = field(default_factory=dict)

    @cached_property
    def vector(self) -> tuple[float, ...]:
        """The array as plain floats, for values that cross borders."""
        return tuple(self.array.tolist())
