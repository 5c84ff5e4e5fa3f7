"""The engine that says what it is told, at the pace it is told. For tests, demonstrations and load measurements.

ScriptedEngine(["I am ", Stall(2.0), "here."])
ScriptedEngine(["One. ", Fail()])                          # breaks after the first piece
ScriptedEngine(lambda prompt: [f"You said {prompt.text}."])
ScriptedEngine(["Never mind me."], [Delta("Bye.", mood="calm")])   # one script per turn, the last one repeats
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from companion.engines.base import EngineError, EngineUnavailable, limited
from companion.types import LANGUAGES, Delta, Limits, ModelCard, Prompt

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Stall:
    """Waits: so many seconds, or until the event is set, or (neither given) until it is cancelled."""

    seconds: float | None = None
    until: asyncio.Event | None = None


@dataclass(frozen=True)
class Fail:
    """Breaks here with this error."""

    error: Exception | None = None


Step = str | Delta | Stall | Fail
Script = Iterable[Step] | Callable[[Prompt], Iterable[Step]]


class ScriptedEngine:
    """`asked` holds the prompts in order, `cancelled` counts the turns that were not let finish.
    With ignores_cancel it finishes its stalls before it hears of the cancellation, as a bad engine would."""

    name = "scripted"

    def __init__(
        self,
        *scripts: Script,
        script: Script | None = None,
        sleep: Sleep = asyncio.sleep,
        ignores_cancel: bool = False,
        unavailable: str | None = None,
    ) -> None:
        self._scripts: tuple[Script, ...] = scripts or ((script,) if script is not None else (("Okay.",),))
        self._sleep = sleep
        self._ignores_cancel = ignores_cancel
        self._unavailable = unavailable
        self.asked: list[Prompt] = []
        self.cancelled = 0
        self.closed = False

    def stream(self, prompt: Prompt, limits: Limits) -> AsyncGenerator[Delta, None]:
        return limited(self._pieces(prompt), limits)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        if self.closed or self._unavailable:
            raise EngineUnavailable(self._unavailable or "the scripted engine is closed")
        script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
        self.asked.append(prompt)
        finished = False
        try:
            for step in script(prompt) if callable(script) else script:
                match step:
                    case Stall():
                        await self._stall(step)
                    case Fail(error):
                        raise error or EngineError("the script says: fail here")
                    case Delta():
                        yield step
                    case str(text):
                        yield Delta(text)
            yield Delta("", end=True)
            finished = True
        finally:
            self.cancelled += not finished

    async def _stall(self, stall: Stall) -> None:
        if self._ignores_cancel:
            await self._stubborn(asyncio.ensure_future(self._wait(stall)))
        else:
            await self._wait(stall)

    async def _stubborn(self, waiting: asyncio.Future[None]) -> None:
        cancelled = False
        while not waiting.done():
            try:
                await asyncio.shield(waiting)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    async def _wait(self, stall: Stall) -> None:
        if stall.seconds is not None:
            await self._sleep(stall.seconds)
        else:
            await (stall.until or asyncio.Event()).wait()

    def card(self) -> ModelCard:
        return ModelCard(
            name="Scripted",
            kind="script",
            source="companion/engines/scripted.py",
            licence="Apache-2.0",
            languages=LANGUAGES,
            note="Says what it is told. For tests and measurements only.",
        )

    async def ready(self) -> None:
        if self.closed or self._unavailable:
            raise EngineUnavailable(self._unavailable or "the scripted engine is closed")

    async def close(self) -> None:
        self.closed = True
