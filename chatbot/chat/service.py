"""What a serving process starts, keeps doing, and ends cleanly."""

from __future__ import annotations

import asyncio

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError

from chatbot.chat import engine, talk
from chatbot.core import jobs, logging
from chatbot.core.encoder import EncoderError, encoder_close
from companion.engines.base import EngineError

log = structlog.get_logger()
SWEEP_S = 5.0


async def house_open() -> None:
    """Start the job thread. The engine warms up beside the first page views, not before them."""
    logging.configure()
    jobs.start()


async def house_watch() -> None:
    """Warm the engine, then look for turns that nobody answers, every five seconds."""
    try:
        log.info("engine_ready", engine=await engine.engine_ready())
    except (EngineError, EncoderError) as error:
        log.error("engine_unavailable", reason=str(error))
    while True:
        try:
            await talk.sweep_turns()
        except DatabaseError as error:
            log.error("sweep_failed", sweep="turns", error=type(error).__name__)
        await asyncio.sleep(SWEEP_S)


async def house_close() -> None:
    """Give back the turns that run, finish the jobs, free the engines."""
    await talk.turns_release()
    await sync_to_async(jobs.stop, thread_sensitive=False)()
    await engine.engines_close()
    encoder_close()
