"""A turn that a skill answers: which one the message is for, what it says, and where its game stands after it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import asdict

from django.conf import settings
from django.db import transaction

from chatbot.chat import answering
from chatbot.chat.models import Finish
from chatbot.chat.reply import Reply, Stopped
from chatbot.chat.saying import may_be_said_back, say_checked, say_withheld
from chatbot.core import clock
from chatbot.core.database import in_database
from companion.personas.drawings import drawings
from companion.play import services as play
from companion.skills.api import Heard, Playing
from companion.skills.catalogue import Outcome, Skills
from companion.types import Delta
from moderation.types import Screening


@functools.cache
def skills() -> Skills:
    """The process's skills, by settings."""
    return Skills(directory=settings.SKILLS_DIR)


async def turn_played(reply: Reply, screening: Screening) -> Finish | None:
    """Let a skill answer, if the message is for one. None: the companion answers itself."""
    start = clock.monotonic()
    outcome = await _outcome(reply, screening)
    if outcome.rows or outcome.made is not None:
        # Before the first word of it: a crash then leaves no answered question that is asked again.
        await _kept(reply, outcome)
    reply.took("skill", start)
    if not outcome.says:
        return None
    reply.engine = answering.SKILL
    reply.trace["skill"] = outcome.skill
    for say in outcome.says:
        if reply.stop.is_set():
            raise Stopped
        may = await may_be_said_back(reply, say.theirs, screening)
        if not (may and await say_checked(reply, Delta(say.text, say.id), screening, written=say.written)):
            # What may not be said did not happen in the game either: the next message finds it where it was.
            before = tuple(reply.known.playing.get(row.skill, Playing(row.skill)) for row in outcome.rows)
            await _kept(reply, Outcome(rows=before))
            return await say_withheld(reply, screening)
    reply.trace["chips"] = list(outcome.chips)
    reply.trace["mood"] = outcome.mood or reply.material.companion.mood
    if outcome.drawing in drawings():
        reply.trace["drawing"] = outcome.drawing
    return Finish.COMPLETE


async def _outcome(reply: Reply, screening: Screening) -> Outcome:
    material, rows, known = reply.material, reply.known.playing, reply.known
    off = material.skills_off | settings.SKILLS_OFF
    active = next((row for row in rows.values() if row.active), None)
    given = Heard(
        text=material.text,
        language=screening.language if active is None else active.language,
        band=material.band,
        seed=material.turn_id.int & 0x7FFFFFFF,
        low=screening.decision.low,
        plain=material.plain,
        at=material.local.replace(tzinfo=None),
        name=known.name,
        memories=known.recalled,
    )
    heard = skills().heard(given, active, doubted=screening.decision.action == "allow")
    claim = skills().claim(heard, active, off=off)
    if claim is not None:
        # In a thread: a skill may think, and nobody else's turn waits for it.
        return await asyncio.to_thread(skills().answer, claim, heard, rows, off=off)
    if active is None and not heard.low and any(row.kept for row in rows.values()):
        heard_of = await asyncio.to_thread(skills().overheard, heard, rows, off=off)
        if heard_of is not None:
            return heard_of
    return Outcome(rows=skills().away(heard, rows))


def played_on(reply: Reply, rows: Sequence[Playing] = ()) -> None:
    """Off the record an open game stands in the turn's own trace, as history.played_off reads it."""
    after = {row.skill: row for row in (*reply.material.played, *rows)}
    reply.trace["played"] = [asdict(row) for row in after.values() if row.active]


async def _kept(reply: Reply, outcome: Outcome) -> None:
    if reply.material.off_record:  # what was made goes nowhere either
        played_on(reply, outcome.rows)
    else:
        await in_database(_keep, reply, outcome)


def _keep(reply: Reply, outcome: Outcome) -> None:
    """Under the turn's fence. Raises answering.LeaseLost."""
    material = reply.material
    with transaction.atomic():
        answering.turn_renew(material.turn_id, reply.fence, now=clock.now())
        play.play_keep(
            owner_id=material.owner_id, conversation_id=material.conversation_id, turn_id=material.turn_id,
            rows=outcome.rows, made=outcome.made, now=clock.now(), remembers=material.memory,
        )  # fmt: skip
