"""The guard model of this process, where the settings name one: asked beside the encoder, in a thread of its own.

It fails closed: without its opinion a message is taken as low, and a reply that nobody wrote is withheld. Danger that
rules see never waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatbot.chat.material import Material
from chatbot.core import metrics
from moderation import screen
from moderation.detectors.classifier.reading import Reading, reply_before, reply_judged
from moderation.types import Exchanged, SecondOpinion, Side

if TYPE_CHECKING:
    from companion.engines.transformers_.engine import TransformersEngine
    from moderation.detectors.guard.guard import Guard

log = structlog.get_logger()
CONTEXT = 16_384  # tokens: the longest message with its prompt; what is longer gets no opinion


@dataclass(frozen=True)
class _Here:
    """The guard, and the engine that speaks for it (None where a test does)."""

    guard: Guard
    engine: TransformersEngine | None


_here: _Here | None = None


def guard_check() -> None:
    """Whether the settings name a guard that there is. Raises ImproperlyConfigured with what to write instead."""
    if not settings.GUARD:
        if settings.GUARD_MODEL:
            raise ImproperlyConfigured("ABRACO_GUARD_MODEL is set, and ABRACO_GUARD is not: name the family too.")
        return
    from moderation.detectors.guard.families import FAMILIES

    if settings.GUARD not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ImproperlyConfigured(f"ABRACO_GUARD is {settings.GUARD!r}, which is no guard known here. Known: {known}.")
    if not settings.GUARD_MODEL:
        raise ImproperlyConfigured("ABRACO_GUARD needs ABRACO_GUARD_MODEL: the folder of its model, or its hub id.")


def guard() -> Guard | None:
    """The process's guard, made when it is first asked for; None where none is set."""
    global _here  # noqa: PLW0603  one guard for the process
    if not settings.GUARD:
        return None
    if _here is None:
        _here = _made()
    return _here.guard


def _made() -> _Here:
    from companion.engines.base import EngineError
    from companion.engines.transformers_.engine import TransformersEngine
    from moderation.detectors.guard.families import FAMILIES
    from moderation.detectors.guard.family import Ask, GuardError
    from moderation.detectors.guard.guard import Guard

    engine = TransformersEngine(model=settings.GUARD_MODEL, context=CONTEXT, template=False)

    async def generate(ask: Ask) -> str:
        try:
            return await engine.complete(ask.prompt, tokens=ask.tokens, effort=ask.effort)
        except EngineError as error:  # written for the operator, without words of the conversation
            raise GuardError(str(error)) from error

    return _Here(Guard(FAMILIES[settings.GUARD], generate), engine)


def guard_use(guard: Guard | None) -> None:
    """Put a made guard in the place of the chosen one (tests)."""
    global _here  # noqa: PLW0603  as above
    _here = None if guard is None else _Here(guard, None)


async def guard_warm() -> None:
    """Load the model and let it judge something harmless, so that no message waits for it, and a model of another
    family is told at once. Never raises what it meets."""
    found = guard()
    if found is None:
        return
    if _here is not None and _here.engine is not None:
        try:
            await _here.engine.ready()
        except Exception as error:  # told by the opinion below, and by every one after it
            log.error("guard_unavailable", reason=str(error))
    await _opinion(found, "hello there", (), "message")


def guard_wrong() -> str | None:
    """For /ready: why its last opinion could not be had, if so."""
    found = guard()
    return None if found is None else found.wrong


async def guard_close() -> None:
    """Free what the guard holds."""
    global _here
    here, _here = _here, None
    if here is not None and here.engine is not None:
        await here.engine.close()


async def message_read(material: Material) -> Reading:
    """See screen.read_message, with the guard's opinion of the message."""
    if guard() is not None and in_danger(material):
        return await screen.read_message(material.text, material.exchanged())
    return await words_read(material.text, material.exchanged())


async def words_read(words: str, history: Sequence[Exchanged] = ()) -> Reading:
    """The same of any words of the teen's, as a message after these."""
    found = guard()
    if found is None:
        return await screen.read_message(words, history)
    reading, second = await asyncio.gather(
        screen.read_message(words, history), _opinion(found, words, history, "message")
    )
    return replace(reading, second=second)


async def reply_read(sentence: str, so_far: str, material: Material) -> Reading | None:
    """See screen.read_reply, with the guard's opinion of the sentence as an answer to the message."""
    history, found = material.answered(), guard()
    if found is None:
        return await screen.read_reply(sentence, so_far, history)
    judged = reply_judged(sentence, so_far)
    reading, second = await asyncio.gather(
        screen.read_reply(sentence, so_far, history), _opinion(found, judged, history, "reply")
    )
    return replace(reading or Reading(judged, reply_before(history)), second=second)


def in_danger(material: Material) -> bool:
    """Whether rules alone see it: then people's words answer, and no guess is waited for."""
    try:
        return screen.check_danger(material.text, language=material.language, watch=material.watch) is not None
    except Exception as error:  # the whole screen asks them again, and tells what is broken
        log.error("danger_check_failed", error=type(error).__name__)
        return False


async def _opinion(found: Guard, text: str, before: Sequence[Exchanged], side: Side) -> SecondOpinion:
    from moderation.detectors.guard.family import GuardError

    try:
        return SecondOpinion(await found.opinion(text, before, side))
    except GuardError as error:
        metrics.GUARD_FAILURES.inc()
        log.error("guard_failed", reason=str(error), part=side)
        return SecondOpinion(failed=True)
