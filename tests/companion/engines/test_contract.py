"""What every engine keeps, run against every engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from companion.engines.base import Engine, EngineTimeout, EngineUnavailable
from companion.engines.registry import engine_named
from companion.types import Delta, Limits, Line, ModelCard, Prompt

PROMPT = Prompt(text="big test tomorrow and i know nothing", language="en", band="13-15", seed=7)
NAMES = ("scripted", "embedded", "transformers")


@pytest.fixture(params=NAMES)
async def engine(request: pytest.FixtureRequest, small_bank: Path) -> AsyncIterator[Engine]:
    options: dict[str, object] = {}
    if request.param == "scripted":
        options = {"script": ["One sentence. ", "Another one. ", "And the end."]}
    elif request.param == "embedded":
        options = {"bank_dir": small_bank, "letters_only": True}
    else:
        options = {"model": str(request.getfixturevalue("tiny_model")), "max_new_tokens": 24}
    made = engine_named(request.param, options)
    yield made
    await made.close()


async def said(engine: Engine, prompt: Prompt = PROMPT, limits: Limits | None = None) -> list[Delta]:
    return [piece async for piece in engine.stream(prompt, limits or Limits())]


async def test_it_says_something_in_pieces_that_join_to_a_reply(engine: Engine) -> None:
    pieces = await said(engine)
    assert "".join(piece.text for piece in pieces).strip()
    assert all(piece.text or piece.end for piece in pieces)


async def test_a_reply_that_a_limit_cut_never_says_that_it_is_whole(engine: Engine) -> None:
    assert not any(piece.end for piece in await said(engine, limits=Limits(max_chars=12)))


async def test_the_same_prompt_and_seed_give_the_same_reply(engine: Engine) -> None:
    assert [piece.text for piece in await said(engine)] == [piece.text for piece in await said(engine)]


async def test_it_takes_a_history(engine: Engine) -> None:
    history = (Line("companion", "Hello."), Line("user", "hi"), Line("companion", "What's new?", "small/hello/1"))
    prompt = Prompt(text="smooth", language="en", band="16-17", history=history, seed=1)
    assert "".join(piece.text for piece in await said(engine, prompt))


async def test_the_reply_is_never_longer_than_allowed(engine: Engine) -> None:
    pieces = await said(engine, limits=Limits(max_chars=12))
    assert 0 < sum(len(piece.text) for piece in pieces) <= 12


async def test_a_deadline_that_has_passed_is_a_named_error(engine: Engine) -> None:
    await engine.ready()
    with pytest.raises(EngineTimeout):
        await said(engine, limits=Limits(deadline_s=0.0))


async def test_closing_the_stream_early_is_heard_at_once_and_the_next_turn_works(engine: Engine) -> None:
    await engine.ready()
    stream = engine.stream(PROMPT, Limits())
    await anext(stream)
    started = time.monotonic()
    await stream.aclose()  # type: ignore[attr-defined]  # every engine of ours gives a generator
    assert time.monotonic() - started < 0.1
    assert await said(engine)


async def test_two_turns_at_once_both_end(engine: Engine) -> None:
    both = await asyncio.gather(said(engine), said(engine))
    assert all(both)


async def test_its_card_says_what_it_is(engine: Engine) -> None:
    card = engine.card()
    assert isinstance(card, ModelCard)
    assert card.name
    assert card.kind
    assert card.licence
    assert "en" in card.languages


async def test_ready_passes_and_a_closed_engine_says_that_it_is_unavailable(engine: Engine) -> None:
    await engine.ready()
    await engine.close()
    await engine.close()
    for refused in (engine.ready, lambda: said(engine)):
        await _unavailable(refused)


async def _unavailable(call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(EngineUnavailable):
        await call()
