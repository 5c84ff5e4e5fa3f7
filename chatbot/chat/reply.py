"""A reply in the making: each sentence is stored before anybody is told of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from chatbot.chat import answering, live
from chatbot.chat.material import Known, Material
from chatbot.chat.models import Turn
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.memory.threads import Callback


class Stopped(Exception):
    """The person tapped stop."""


@dataclass
class Reply:
    """A reply in the making: writes sentences under its fence, and keeps what the turn leaves behind.

    may_recall: memory may come up by itself in it. callback: what may be asked behind it. unasked: memory did come up.
    loop: the one that answers it, and the only one that may set `stop`.
    """

    material: Material
    turn: Turn
    started: float
    pieces: list[str] = field(default_factory=list)
    trace: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    engine: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    known: Known = field(default_factory=Known)
    may_recall: bool = True
    callback: Callback | None = None
    unasked: bool = False
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def hush(self) -> None:
        """Ask it to stop, from whatever thread. Nothing where its loop has ended."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.stop.set)

    @property
    def fence(self) -> int:
        """What each write names."""
        return self.turn.fence

    async def say(self, text: str, line_id: str | None = None, *, whole: bool = False) -> None:
        """Store a sentence that passed, then wake whoever follows. `whole`: part of what is said to its end.

        Raises Stopped, answering.LeaseLost.
        """
        start = clock.monotonic()
        if self.stop.is_set() and not whole:
            raise Stopped
        stored = await in_database(
            answering.sentence_add,
            turn_id=self.material.turn_id,
            owner_id=self.material.owner_id,
            fence=self.fence,
            seq=self.material.said_already + len(self.pieces) + 1,
            text=text,
            line_id=line_id or "",
            whole=whole,
        )
        if not stored:
            raise Stopped
        if not self.pieces:
            self.took("first_token")
        self.pieces.append(text)
        await live.wake(self.material.conversation_id)
        self.took("store", start)

    def categories(self) -> tuple[str, ...]:
        """What the safety layer saw in the message; empty before it looked."""
        return tuple(self.trace.get("decision", {}).get("categories", ()))

    def took(self, part: str, since: float | None = None) -> None:
        """Note how long a part took, in milliseconds; a part that comes again is added up."""
        start = self.started if since is None else since
        took = (clock.monotonic() - start) * 1000
        self.timings[part] = round(self.timings.get(part, 0.0) + took, 2)
