"""What a serving process starts, keeps doing, and ends cleanly."""

from __future__ import annotations

import asyncio

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from chatbot.chat import dangers, engine, guard, playing, talk
from chatbot.chat.doctor import start_refusals
from chatbot.core import jobs, logging, metrics
from chatbot.core.database import database_close
from chatbot.core.encoder import encoder_close, tails_expire
from chatbot.core.gone import ListUnreadable, gone_again
from chatbot.core.parts import database_wrong
from companion.memory import lexicon
from moderation import screen
from moderation.incidents.services import helplines_refresh

log = structlog.get_logger()
SWEEP_S = 5.0


class NotFit(Exception):
    """This installation must not serve people yet. The text says why, and what to do, line by line."""


async def house_open() -> None:
    """Start the job thread. The engine warms up beside the first page views, not before them. Raises NotFit."""
    logging.configure()
    await sync_to_async(_checked, thread_sensitive=False)()
    jobs.start()


def _checked() -> None:
    try:
        gone_again()  # before anybody is served: the database may be a restored one
        helplines_refresh()
        refusals = start_refusals()
    except DatabaseError:
        what, fix = database_wrong() or ("The database can't be read.", "`python manage.py migrate`, then start again")
        raise NotFit(f"{what} Do this: {fix}.") from None
    except ListUnreadable as error:
        raise NotFit(str(error)) from None
    finally:
        connections.close_all()
    if refusals:
        raise NotFit("\n".join(refusals))


async def _warm() -> None:
    try:
        await asyncio.to_thread(screen.warm)
        await asyncio.to_thread(playing.skills)
        log.info("engine_ready", engine=await engine.engine_ready())
        await asyncio.to_thread(lexicon.warm)
    except Exception as error:  # the sweeps must run whatever can't be loaded
        log.error("engine_unavailable", reason=str(error))


async def house_watch() -> None:
    """Warm the engine and the guard, then look for turns that nobody answers, every five seconds."""
    warming = asyncio.create_task(guard.guard_warm())  # a large model takes minutes: nothing else waits for it
    try:
        await _warm()
        while True:
            await _sweep()
            await asyncio.sleep(SWEEP_S)
    finally:
        warming.cancel()


async def _sweep() -> None:
    try:
        tails_expire()
        metrics.SWEEP_FOUND.labels("turns").inc(await talk.sweep_turns())
        await dangers.unfiled_file()
    except Exception as error:  # tried again in five seconds, whatever it was
        log.error("sweep_failed", sweep="turns", error=type(error).__name__)


async def house_close() -> None:
    """Give back the turns that run, finish the jobs, free the engines."""
    await talk.turns_release()
    await sync_to_async(jobs.stop, thread_sensitive=False)()
    await engine.engines_close()
    await guard.guard_close()
    encoder_close()
    await asyncio.to_thread(database_close)
