"""Follows the rows of one conversation and sends what is new, in order, each thing once."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

import structlog
from django.db import DatabaseError

from chatbot.chat import frames, selectors
from chatbot.chat.notices import turn_notices
from chatbot.chat.remembered import lesson_of
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.keys import KeyMissing

log = structlog.get_logger()
LOOK_S = 0.3
# Nothing is open: an event says when something is, and where that was lost, this finds it.
IDLE_S = 20.0
# Learning comes after the reply: for so long it is looked for as often as an open turn.
LEARN_S = 4.0
Push = Callable[[frames.ServerFrame], Awaitable[None]]


class Follower:
    """One socket's view of a conversation: turns newer than `after`, and those still open.

    `seen` is the last piece that the client has (after a reconnect).
    """

    def __init__(
        self, conversation_id: uuid.UUID, push: Push, *, after: uuid.UUID, seen: tuple[uuid.UUID, int] | None
    ) -> None:
        self._after = after
        self._conversation_id = conversation_id
        self._push = push
        self._seen: dict[uuid.UUID, int] = {}
        self._done: set[uuid.UUID] = set()
        self._live: set[uuid.UUID] = set()
        self._looked = False
        self._lesson: uuid.UUID | None = None
        self._lesson_until = 0.0
        if seen is not None:
            self._seen[seen[0]] = seen[1]
        self._awake = asyncio.Event()
        self._awake.set()
        self._task = asyncio.create_task(self._run())

    def look(self) -> None:
        """Something may be new."""
        self._awake.set()

    def expect(self, turn_id: uuid.UUID) -> None:
        """This turn was just accepted here: follow it to its end, even if it ends before the next look."""
        self._seen.setdefault(turn_id, 0)
        self._live.add(turn_id)
        self._awake.set()

    async def close(self) -> None:
        """Stop following. Never raises what ended the task: the socket has more to put away."""
        self._task.cancel()
        await asyncio.wait([self._task])
        broke = None if self._task.cancelled() else self._task.exception()
        if broke is not None:
            log.error("follower_broke", error=type(broke).__name__)

    async def _run(self) -> None:
        while True:
            try:
                open_turns = await self._send_new() or await self._send_lesson()
            except (DatabaseError, CryptoError) as error:  # the rows stay: look again
                log.error("database_away", error=type(error).__name__)
                open_turns = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if open_turns else IDLE_S):
                    await self._awake.wait()
            self._awake.clear()

    async def _send_new(self) -> bool:
        """Send what is new of every turn that is open or was not seen to its end. Whether any is still open."""
        for turn_id in await in_database(selectors.turns_after, self._conversation_id, self._after):
            self._seen.setdefault(turn_id, 0)
        for turn_id in sorted(set(self._seen) - self._done):
            await self._send_turn(turn_id)
        self._looked = True
        return bool(set(self._seen) - self._done)

    async def _send_turn(self, turn_id: uuid.UUID) -> None:
        try:
            progress = await in_database(selectors.turn_progress, turn_id, after=self._seen[turn_id])
        except KeyMissing:  # nobody opens it any more, however often it is looked at
            progress = None
        if progress is None:
            self._done.add(turn_id)
            return
        if self._looked or not progress.done:  # what ended before this socket came is not told again
            self._live.add(turn_id)
        for seq, text in progress.sentences:
            await self._push(frames.DeltaFrame(turn=turn_id, seq=seq, text=text))
            self._seen[turn_id] = seq
        if progress.done:
            self._done.add(turn_id)
            for notice in turn_notices(progress.trace):
                await self._push(notice)
            await self._push(
                frames.Done(
                    turn=turn_id,
                    message=progress.message_id,
                    finish=progress.finish,
                    suggestions=list(progress.trace.get("chips", []))[:3],
                    mood=progress.trace.get("mood"),
                    skill=progress.trace.get("skill") or None,
                    drawing=progress.drawing,
                    again=progress.again,
                )
            )
            if turn_id in self._live:
                self._lesson, self._lesson_until = turn_id, clock.monotonic() + LEARN_S

    async def _send_lesson(self) -> bool:
        """Say what the last turn's message taught, once. Whether that is still to be learned, and soon."""
        if self._lesson is None:
            return False
        lesson = await in_database(lesson_of, self._lesson)
        if lesson == "later":  # a job that takes longer is found by the idle look
            return clock.monotonic() < self._lesson_until
        self._lesson = None
        if lesson is not None:
            await self._push(lesson)
        return False
