"""One turn, from a stored message to a stored reply. Reads top to bottom as docs/architecture.md tells it.

A turn belongs to the conversation, not to a socket: a lost socket changes nothing, `stop` does. Every sentence passes
the safety layer, becomes a row, and only then is anybody told to look.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings

from chatbot.chat import live, services
from chatbot.chat.engine import engine_stream
from chatbot.chat.material import Material, material_read, screening_store
from chatbot.chat.models import Finish
from chatbot.chat.sentences import sentences_of, sentences_split
from chatbot.core import clock
from chatbot.core.database import in_database
from chatbot.core.encoder import Encoded, EncoderError, encode_async
from companion.engines.base import EngineError
from companion.memory import services as memory
from companion.personas.mood import mood_next
from companion.types import Delta, Limits, Prompt, Recalled
from moderation import crisis, screen
from moderation.incidents import services as incidents
from moderation.types import Decision, Screening

log = structlog.get_logger()
RENEW_S = 5.0


class Stopped(Exception):
    """The person tapped stop."""


@dataclass
class Reply:
    """A reply in the making: writes sentences under its fence, and keeps what the turn leaves behind."""

    material: Material
    fence: int
    started: float
    pieces: list[str] = field(default_factory=list)
    trace: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    engine: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, text: str, line_id: str | None = None) -> None:
        """Store a sentence that passed, then wake whoever follows. Raises Stopped, services.LeaseLost."""
        turn_id = self.material.turn_id
        if await in_database(services.turn_renew, turn_id, self.fence, now=clock.now()) or self.stop.is_set():
            raise Stopped
        await in_database(services.sentence_add, turn_id=turn_id, fence=self.fence, text=text, line_id=line_id or "")
        if not self.pieces:
            self.took("first_token")
        self.pieces.append(text)
        await live.wake(self.material.conversation_id)

    def took(self, part: str, since: float | None = None) -> None:
        """Note how long a part took, in milliseconds."""
        start = self.started if since is None else since
        self.timings[part] = round((clock.monotonic() - start) * 1000, 2)


async def turn_run(turn_id: uuid.UUID) -> bool:
    """Answer one turn, if nobody else does. True when it was answered here to its end."""
    fence = await in_database(services.turn_claim, turn_id, now=clock.now())
    if fence is None:
        return False
    reply: Reply | None = None
    renewing: asyncio.Task[None] | None = None
    try:
        material = await in_database(material_read, turn_id)
        reply = Reply(material, fence, clock.monotonic())
        renewing = asyncio.create_task(_renew(reply))
        finish, learn = await _answer(reply)
        await _finish(reply, finish, learn=learn)
    except services.LeaseLost:
        log.warning("lease_lost", turn=str(turn_id))
        return False
    except asyncio.CancelledError:
        # The server goes down: give the turn back, the next process takes it up at once.
        with contextlib.suppress(Exception):
            await asyncio.shield(in_database(services.turn_release, turn_id, fence))
        raise
    finally:
        if renewing is not None:
            renewing.cancel()
    await live.wake(material.conversation_id)
    return True


async def _renew(reply: Reply) -> None:
    """Keep the lease while the engine thinks, and hear a stop that came through another process."""
    while True:
        await asyncio.sleep(RENEW_S)
        if await in_database(services.turn_renew, reply.material.turn_id, reply.fence, now=clock.now()):
            reply.stop.set()


async def _answer(reply: Reply) -> tuple[Finish, bool]:
    """Screen, then let people's words, memory or the engine answer. How it ended, and whether to learn."""
    material = reply.material
    if material.said_already:  # a crash came after some sentences: what was said stays, and the turn ends there
        return Finish.COMPLETE, False
    try:
        encoded = await _encode(material.text)
        screening = await _screen(reply, encoded)
        if screening.decision.playbook is not None:
            return await _written(reply, screening.decision, screening), False
        learn = material.memory and screening.decision.action == "allow"
        if not await _remembered(reply, screening):
            finish = await _free(reply, screening, encoded)
            return finish, learn
        return Finish.COMPLETE, learn
    except Stopped:
        return Finish.STOPPED, False
    except EngineError:
        await reply.say(crisis.line("failed", language=material.language, seed=material.turn_id.int))
        return Finish.FAILED, False


async def _encode(text: str) -> Encoded | None:
    try:
        return await encode_async(text)
    except EncoderError as error:  # rules and words still work without vectors
        log.error("encoder_failed", reason=str(error))
        return None


async def _screen(reply: Reply, encoded: Encoded | None) -> Screening:
    material, start = reply.material, clock.monotonic()
    screening = screen.check_message(
        material.text,
        encoded=encoded,
        history=material.exchanged(),
        band=material.band,
        language=material.language,
        watch=material.watch,
        now=clock.now(),
        plain=material.plain,
    )
    reply.took("moderation", start)
    decision = screening.decision
    reply.trace["decision"] = {
        "action": decision.action, "severity": decision.severity, "level": decision.level,
        "categories": list(decision.categories), "playbook": decision.playbook, "policy": decision.policy,
    }  # fmt: skip
    await in_database(screening_store, material, screening)
    return screening


async def _written(reply: Reply, decision: Decision, screening: Screening) -> Finish:
    """The words that people wrote for this, with the helplines of the country. No engine, no skill, no memory."""
    material = reply.material
    reply.engine = services.WRITTEN
    answer = crisis.answer(
        decision,
        screening.watch,
        text=material.text,
        language=screening.language,
        country=material.country,
        now=clock.now(),
        production=not settings.DEBUG,
    )
    if answer.card is not None:
        reply.trace["card"] = answer.card.to_json()
        await in_database(
            incidents.referral_count,
            region=material.region or material.country,
            category=decision.categories[0] if decision.categories else "",
            band=material.band,
        )
    await in_database(incidents.watch_store, material.owner_id, answer.watch)
    reply.trace["mood"] = "calm"
    for bubble in answer.bubbles:
        await reply.say(bubble)
    return Finish.CRISIS if decision.action == "crisis" else Finish.COMPLETE


async def _remembered(reply: Reply, screening: Screening) -> bool:
    """Answer from memory, when the message asks for it. True if it did."""
    material = reply.material
    if not material.memory:
        return False
    answer = await in_database(
        memory.memory_reply,
        owner_id=material.owner_id,
        text=material.text,
        language=screening.language,
        seed=material.turn_id.int,
    )
    if answer is None:
        return False
    reply.engine = "memory"
    reply.trace["memories"] = [str(used) for used in answer.used]
    for sentence in sentences_of(answer.text):
        await _say_checked(reply, Delta(sentence), screening)
    return True


async def _free(reply: Reply, screening: Screening, encoded: Encoded | None) -> Finish:
    """Recall, build the prompt, stream the engine; each sentence passes before it is said."""
    prompt = await _prompt(reply, screening, encoded)
    passed = True
    async for name, delta in _whole_sentences(engine_stream(prompt, Limits())):
        reply.engine = name
        if delta.chips:
            reply.trace["chips"] = list(delta.chips)
        if delta.mood:
            reply.trace["mood"] = delta.mood
        if delta.text.strip() and not await _say_checked(reply, delta, screening):
            passed = False
            break
    return Finish.COMPLETE if passed else Finish.WITHHELD


async def _prompt(reply: Reply, screening: Screening, encoded: Encoded | None) -> Prompt:
    material, start = reply.material, clock.monotonic()
    vector = None if encoded is None else encoded.vector
    recalled: tuple[Recalled, ...] = ()
    person = None
    if material.memory:
        recalled = await in_database(
            memory.memory_recall, owner_id=material.owner_id, text=material.text, vector=vector,
            language=screening.language,
        )  # fmt: skip
        person = await in_database(memory.memory_name, owner_id=material.owner_id)
    reply.took("recall", start)
    reply.trace["memories"] = [item.id for item in recalled]
    low = screening.decision.low
    return Prompt(
        text=material.text,
        language=screening.language,
        band=material.band,
        history=material.history,
        persona=material.companion.persona(),
        mood=mood_next(
            history=material.history, text=material.text, low=low, hour=material.hour, before=material.companion.mood
        ),
        memories=recalled,
        vector=vector,
        low=low,
        plain=material.plain,
        seed=material.turn_id.int & 0x7FFFFFFF,
        person=person,
    )


async def _whole_sentences(pieces: AsyncIterator[tuple[str, Delta]]) -> AsyncIterator[tuple[str, Delta]]:
    """Engines may give words; what is checked and shown is whole sentences. A line of the bank is whole."""
    waiting, name = "", ""
    async for name, delta in pieces:
        if delta.line_id is not None:
            yield name, delta
            continue
        waiting += delta.text
        whole, waiting = sentences_split(waiting)
        for sentence in whole:
            yield name, Delta(sentence)
        if delta.chips or delta.mood:
            yield name, Delta("", mood=delta.mood, chips=delta.chips)
    if waiting.strip():
        yield name, Delta(waiting.strip())


async def _say_checked(reply: Reply, delta: Delta, screening: Screening) -> bool:
    """Say a sentence if it passes in its place; else say the kind line instead, and nothing more."""
    material = reply.material
    verdict = screen.check_reply(
        delta.text,
        so_far=" ".join(reply.pieces),
        history=material.exchanged(),
        band=material.band,
        language=screening.language,
        watch=screening.watch,
        plain=material.plain,
    )
    if verdict.action == "allow":
        await reply.say(delta.text.strip(), delta.line_id)
        return True
    log.warning("reply_withheld", turn=str(material.turn_id), severity=verdict.severity, policy=verdict.policy)
    await reply.say(crisis.line("withheld", language=screening.language, seed=material.turn_id.int))
    return False


async def _finish(reply: Reply, finish: Finish, *, learn: bool) -> None:
    reply.took("total")
    await in_database(
        services.turn_finish,
        turn_id=reply.material.turn_id,
        fence=reply.fence,
        finish=finish,
        engine=reply.engine,
        trace=reply.trace,
        timings=reply.timings,
        learn=learn,
    )
