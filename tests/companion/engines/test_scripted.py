from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from companion.engines.base import EngineError, EngineTimeout, EngineUnavailable
from companion.engines.scripted import Fail, ScriptedEngine, Stall
from companion.types import Delta, Limits, Prompt

PROMPT = Prompt(text="hello", language="en", band="13-15")


def stream(
    engine: ScriptedEngine, prompt: Prompt = PROMPT, limits: Limits | None = None
) -> AsyncGenerator[Delta, None]:
    return engine.stream(prompt, limits or Limits())


async def text(engine: ScriptedEngine, prompt: Prompt = PROMPT) -> str:
    return "".join([piece.text async for piece in stream(engine, prompt)])


async def test_it_says_what_it_is_told_at_the_pace_it_is_told() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    assert await text(ScriptedEngine(["I am ", Stall(2.0), "here."], sleep=sleep)) == "I am here."
    assert slept == [2.0]


async def test_each_turn_has_its_script_and_the_last_one_repeats() -> None:
    engine = ScriptedEngine(["One."], lambda prompt: [f"You said {prompt.text}."])
    assert [await text(engine) for _ in range(3)] == ["One.", "You said hello.", "You said hello."]
    assert len(engine.asked) == 3


async def test_it_breaks_where_it_is_told_to() -> None:
    pieces = stream(ScriptedEngine(["One. ", Fail(), "Two."]))
    assert (await anext(pieces)).text == "One. "
    with pytest.raises(EngineError):
        await anext(pieces)


async def test_a_stall_longer_than_the_deadline_is_a_timeout() -> None:
    with pytest.raises(EngineTimeout):
        async for _ in stream(ScriptedEngine(["One. ", Stall()]), limits=Limits(deadline_s=0.01)):
            pass


async def test_cancelling_a_stall_is_counted() -> None:
    engine = ScriptedEngine(["One. ", Stall(), "never"])
    pieces = stream(engine)
    assert (await anext(pieces)).text == "One. "
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert engine.cancelled == 1


async def test_an_engine_that_ignores_cancel_ends_its_stall_first() -> None:
    gate = asyncio.Event()
    engine = ScriptedEngine([Stall(until=gate), "late"], ignores_cancel=True)
    waiting = asyncio.ensure_future(anext(stream(engine)))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_unavailable_engine_says_why() -> None:
    with pytest.raises(EngineUnavailable, match="gone fishing"):
        await ScriptedEngine(unavailable="gone fishing").ready()
