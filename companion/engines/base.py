"""The interface of every engine, its errors, and the bounds that all of them keep.

EngineError
├── EngineUnavailable   it can't answer now: model missing, server down. The service falls back to `embedded`.
└── EngineTimeout       it did not finish within Limits.deadline_s
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from typing import Protocol

from companion.types import Delta, Limits, ModelCard, Prompt


class EngineError(Exception):
    """Anything an engine can't do; the message is for the operator and holds no words of the conversation."""


class EngineUnavailable(EngineError):
    """The engine can't answer now."""


class EngineTimeout(EngineError):
    """The reply was not finished in time."""


class Engine(Protocol):
    """Four methods. Closing (or cancelling) the iterator of `stream` frees the compute within 100 ms."""

    name: str

    def stream(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        """The reply, piece by piece; the last one says `end`, unless the reply was cut. Raises EngineError, also after
        some pieces."""
        ...

    def card(self) -> ModelCard: ...

    async def ready(self) -> None:
        """Loads what is needed. Raises EngineError if the engine can't answer."""
        ...

    async def close(self) -> None:
        """Frees threads and memory. Harmless twice."""
        ...


async def limited(pieces: AsyncGenerator[Delta, None], limits: Limits) -> AsyncGenerator[Delta, None]:
    """The pieces within the limits: cut at max_chars; EngineTimeout when one is not there by the deadline.
    Closes `pieces` whatever happens, so that cancelling reaches the compute."""
    room = limits.max_chars
    clock = asyncio.get_running_loop().time
    until = clock() + limits.deadline_s
    try:
        while room > 0:
            try:
                async with asyncio.timeout_at(until):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise _late(limits) from error
            if clock() >= until:  # a piece that came without a pause is not seen by the time-out
                raise _late(limits)
            if len(piece.text) > room:
                piece = dataclasses.replace(piece, text=piece.text[:room].rstrip(), end=False)
                room = 0
            room -= len(piece.text)
            yield piece
    finally:
        await pieces.aclose()


def _late(limits: Limits) -> EngineTimeout:
    return EngineTimeout(f"no end of the reply within {limits.deadline_s:g} s")
