"""Saying something that may be said, and what stands where it may not."""

from __future__ import annotations

from dataclasses import replace

import structlog

from chatbot.chat import guard
from chatbot.chat.models import Finish
from chatbot.chat.reply import Reply
from chatbot.core import clock
from companion.personas.characters import in_voice
from companion.types import Delta
from moderation import crisis, screen
from moderation.types import Screening

log = structlog.get_logger()


async def say_checked(reply: Reply, delta: Delta, screening: Screening, *, written: bool = False) -> bool:
    """Say a sentence, as the companion's persona types it, if it passes in its place. written: people's words, as every
    line with an id is."""
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
    log.warning("reply_withheld", turn=str(material.turn_id), severity=verdict.severity, policy=verdict.policy)
    return False


async def say_withheld(reply: Reply, screening: Screening) -> Finish:
    """The kind line that stands where something may not be said; nothing follows it."""
    await reply.say(crisis.line("withheld", language=screening.language, seed=reply.material.turn_id.int))
    return Finish.WITHHELD
