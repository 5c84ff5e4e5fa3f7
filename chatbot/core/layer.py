"""The channel layer that all processes share in Redis. A lost event heals by itself, so a Redis that is away, full,
read-only, emptied or slow costs time and nothing else: no socket is closed for it, no turn waits long.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer

from chatbot.core.away import ERRORS, Away

SEND_S = 0.5
CONNECT_S = 2.0
# Longer than the five seconds for which `receive` waits inside Redis.
SOCKET_S = 8.0


async def _ended(work: asyncio.Task[Any]) -> None:
    for _ in range(5):
        work.cancel()
        await asyncio.wait({work}, timeout=0.5)
        if work.done():
            if not work.cancelled():
                work.exception()  # looked at, so that nobody complains that nobody did
            return


class SharedLayer(RedisChannelLayer):  # type: ignore[misc]  # channels_redis has no types
    """Redis' layer, which logs once that Redis is away and carries on."""

    def __init__(self, url: str, **options: Any) -> None:
        host = {"address": url, "socket_connect_timeout": CONNECT_S, "socket_timeout": SOCKET_S}
        super().__init__(hosts=[host], prefix="abraco:events", **options)
        self._out, self._in = Away("channel_layer_send"), Away("channel_layer_receive")

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        if self._out.is_now():
            work.close()
            return
        try:
            async with asyncio.timeout(SEND_S):
                await work
        except ChannelFull:  # one socket that reads nothing: it looks by itself
            return
        except (*ERRORS, RuntimeError) as error:  # RuntimeError: the loop that the connection belonged to is gone
            self._out.went(error)
        else:
            self._out.back()

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        await self._tried(super().send(channel, message))

    async def group_add(self, group: str, channel: str) -> None:
        await self._tried(super().group_add(group, channel))

    async def group_discard(self, group: str, channel: str) -> None:
        await self._tried(super().group_discard(group, channel))

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._tried(super().group_send(group, message))

    async def receive(self, channel: str) -> dict[str, Any]:
        """The next event. Waits for Redis as long as it is away: an exception here would end the socket."""
        while True:
            if self._in.is_now():
                await asyncio.sleep(self._in.wait_s() + random.uniform(0.0, 1.0))  # noqa: S311  not all at once
            # DANGER: Redis' client sometimes swallows the end of its own task. Waiting for a task beside this one can
            # always be ended, or a closed socket would stay for ever, and the server with it.
            work = asyncio.create_task(super().receive(channel))
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                await _ended(work)
                raise
            try:
                message: dict[str, Any] = work.result()
            except Exception as error:  # whatever it is, the socket lives on without events
                self._in.went(error)
            else:
                self._in.back()
                return message

    async def _clean_receive_backup(self, index: int, channel: str) -> None:
        """Runs as a task that nobody waits for. What it leaves behind is said twice, which is harmless."""
        try:
            await super()._clean_receive_backup(index, channel)
        except ERRORS as error:
            self._in.went(error)
