"""Saying something that may be said, and what stands where it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from chatbot.chat import guard
from chatbot.chat.models import Finish
from chatbot.chat.reply import Reply
from chatbot.core import clock
from companion.folding import spelled
from companion.personas.characters import in_voice
from companion.types import Delta
from moderation import crisis, screen
from moderation.detectors.classifier.reading import Reading
from moderation.types import Decision, Screening, WatchState

log = structlog.get_logger()


async def say_checked(reply: Reply, delta: Delta, screening: Screening, *, written: bool = False) -> bool:
    """Say a sentence, as the companion's persona types it, if it passes in its place. written: people's words, as every
    line with an id is, but for words of the teen's that `may_be_said_back` has passed."""
    material, start = reply.material, clock.monotonic()
    delta = replace(delta, text=in_voice(delta.text, material.companion.persona))
    so_far, written = " ".join(reply.pieces), written or delta.line_id is not None
    reading = None if written else await guard.reply_read(delta.text, so_far, material)
    verdict = screen.check_reply(
        delta.text,
        so_far=so_far,
        history=material.answered(),
        band=material.band,
        language=screening.language,
        watch=screening.watch,
        plain=material.plain,
        written=written,
        reading=reading,
    )
    reply.took("check", start)
    if verdict.action == "allow":
        await reply.say(delta.text.strip(), delta.line_id)
        return True
    _withheld(reply, verdict)
    return False


async def may_be_said_back(reply: Reply, theirs: Sequence[str], screening: Screening) -> bool:
    """Whether a written line may have these words of the teen's in it. Each is read as a message by itself, as if
    nothing had been said before; what is this very message was read with what came before it. What people's own words
    would answer, or a doubt or a low moment, stands in no line."""
    material, start = reply.material, clock.monotonic()
    this = spelled(material.text)
    new = [words for words in dict.fromkeys(theirs) if not this or spelled(words) != this]
    readings = await asyncio.gather(*(guard.words_read(words) for words in new))
    decisions = [_as_message(reading, reply, screening) for reading in readings]
    if len(new) < len(set(theirs)):
        decisions.append(screening.decision)
    reply.took("check", start)
    acted_on = next((one for one in decisions if one.action != "allow" or one.low), None)
    if acted_on is not None:
        _withheld(reply, acted_on)
    return acted_on is None


def _as_message(reading: Reading, reply: Reply, screening: Screening) -> Decision:
    material = reply.material
    return screen.check_message(
        reading.text,
        reading=reading,
        band=material.band,
        language=screening.language,
        watch=WatchState(),
        now=clock.now(),
        plain=material.plain,
    ).decision


def _withheld(reply: Reply, verdict: Decision) -> None:
    turn = str(reply.material.turn_id)
    log.warning("reply_withheld", turn=turn, severity=verdict.severity, policy=verdict.policy)


async def say_withheld(reply: Reply, screening: Screening) -> Finish:
    """The kind line that stands where something may not be said; nothing follows it."""
    await reply.say(crisis.line("withheld", language=screening.language, seed=reply.material.turn_id.int))
    return Finish.WITHHELD
