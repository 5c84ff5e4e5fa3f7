"""Where a sentence ends, in a text and in what an engine gives. Very short ones stay with the next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TypeVar

import re2

from companion.types import Delta

_END = re2.compile(r"[.!?…]+[\"'»”)\]]*\s+|\n+")
_ENDED = re2.compile(r"[.!?…]+[\"'»”)\]]*\s*$")
SHORTEST = 12
T = TypeVar("T")


def sentences_split(text: str) -> tuple[list[str], str]:
    """The sentences that have ended, and the rest as it stands, to go on with."""
    whole: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        if len(piece) >= SHORTEST:
            whole.append(piece)
            start = match.end()
    return whole, text[start:]


def sentences_of(text: str) -> list[str]:
    """All sentences of a finished text."""
    whole, rest = sentences_split(text)
    return [*whole, rest.strip()] if rest.strip() else whole


async def whole_sentences(pieces: AsyncIterator[tuple[str, Delta]]) -> AsyncIterator[tuple[str, Delta]]:
    """Engines may give words; what is checked and shown is whole sentences. A line of the bank is whole.

    DANGER: half a sentence can pass where the whole one would not. What a cut leaves over is dropped.
    """
    waiting, name, ended = "", "", False
    async for name, delta in pieces:
        ended = ended or delta.end
        if delta.line_id is not None:
            yield name, delta
            continue
        waiting += delta.text
        whole, waiting = sentences_split(waiting)
        for sentence in whole:
            yield name, Delta(sentence)
        if delta.chips or delta.mood or delta.drawing:
            yield name, Delta("", mood=delta.mood, chips=delta.chips, drawing=delta.drawing)
    if waiting.strip() and (ended or _ENDED.search(waiting)):
        yield name, Delta(waiting.strip())


async def until_stopped(pieces: AsyncIterator[T], stop: asyncio.Event) -> AsyncIterator[T]:
    """The pieces as they come. Ends as soon as `stop` is set, and not only when an engine has its next word."""
    stopping = asyncio.ensure_future(stop.wait())
    coming: asyncio.Task[T] | None = None
    try:
        while True:
            coming = asyncio.create_task(_next(pieces))
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                return
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
    finally:
        for task in (stopping, coming):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _next(pieces: AsyncIterator[T]) -> T:
    return await anext(pieces)
