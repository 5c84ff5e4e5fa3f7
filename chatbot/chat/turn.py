"""One turn, from a stored message to a stored reply. Reads top to bottom as docs/architecture.md tells it.

A turn belongs to the conversation, not to a socket: a lost socket changes nothing, `stop` does. Every sentence passes
the safety layer, becomes a row, and only then is anybody told to look.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import translation

from chatbot.accounts import gate
from chatbot.accounts.adapter import sign_out_tell
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.guardianship import is_guarded
from chatbot.chat import answering, dangers, live
from chatbot.chat.engine import engine_stream
from chatbot.chat.hearing import heard
from chatbot.chat.material import screening_store, turn_begin
from chatbot.chat.models import Finish
from chatbot.chat.notices import refusal_notice
from chatbot.chat.playing import played_on, skills, turn_played
from chatbot.chat.reply import Reply, Stopped
from chatbot.chat.saying import may_be_said_back, say_checked, say_withheld
from chatbot.chat.sentences import sentences_of, until_stopped, whole_sentences
from chatbot.chat.unasked import called_back, called_back_after, recalled_in
from chatbot.core import clock, metrics
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.encoder import Encoded
from companion.engines.base import EngineError
from companion.personas.drawings import drawings
from companion.personas.mood import mood_next
from companion.play.services import play_close
from companion.types import Delta, Language, Limits, Prompt
from moderation import crisis, screen
from moderation.crisis.adults import adult_wanted
from moderation.detectors.classifier.reading import Reading
from moderation.incidents import services as incidents
from moderation.incidents.adults import adult_line_stored
from moderation.replay import hits_kept
from moderation.types import Decision, Screening, WatchState

log = structlog.get_logger()
RENEW_S = 5.0
TRIES = 5


_answering: dict[uuid.UUID, Reply] = {}


def turn_hush(turn_id: uuid.UUID) -> None:
    """Somebody asked to stop this turn: heard at once where it is answered here, at the next sentence elsewhere. From
    any thread."""
    reply = _answering.get(turn_id)
    if reply is not None:
        reply.hush()


async def turn_run(turn_id: uuid.UUID) -> bool:
    """Answer one turn, if nobody else does. True when it was answered here to its end."""
    started = clock.monotonic()
    begun = await in_database(turn_begin, turn_id, now=clock.now())
    if begun is None:
        return False
    turn, material = begun
    reply = Reply(material, turn, started)
    if turn.stop:  # asked while it still waited
        reply.stop.set()
    reply.took("read")
    renewing = asyncio.create_task(_renew(reply))
    _answering[turn_id] = reply
    try:
        finish, learn = await _answer(reply)
        if finish is Finish.COMPLETE and reply.pieces in [[line.text for line in one] for one in material.passed]:
            reply.trace["last"] = True
        # R19: the account closes after the written answer, and before the turn is done, so that a crash can't skip it.
        closed = "under_13" in reply.categories() and await in_database(age_doubted, material.owner_id)
        # Sentences that another process said stand in rows only.
        await _finish(reply, finish, learn=learn, said=None if material.said_already else reply.pieces)
    except answering.LeaseLost:
        log.warning("lease_lost", turn=str(turn_id))
        return False
    except asyncio.CancelledError:
        # The server goes down: give the turn back, the next process takes it up at once.
        await asyncio.shield(_give_back(turn_id, turn.fence))
        raise
    except (DatabaseError, CryptoError) as error:
        # Given back at once, so that the next look over the rows takes it up, and not only when the lease runs out.
        log.error("turn_put_off", turn=str(turn_id), error=type(error).__name__)
        await _give_back(turn_id, turn.fence)
        return False
    except Exception as error:  # a fault of ours: the next message in this conversation must not wait for it for ever
        log.error("turn_broken", turn=str(turn_id), error=type(error).__name__)
        await (_give_up(reply) if turn.fence > TRIES else _give_back(turn_id, turn.fence))
        return False
    finally:
        renewing.cancel()
        _answering.pop(turn_id, None)
    await live.wake(material.conversation_id)
    if closed:
        await in_database(sign_out_tell, material.owner_id)
    return True


async def _give_back(turn_id: uuid.UUID, fence: int) -> None:
    """Put the lease back; where that fails too, it runs out by itself."""
    with contextlib.suppress(Exception):
        await in_database(answering.turn_release, turn_id, fence)


async def _give_up(reply: Reply) -> None:
    """End a turn that breaks whoever answers it: danger with its written words, anything else with a plain sorry."""
    material, finish = reply.material, Finish.FAILED
    with contextlib.suppress(Exception):
        reply.engine = answering.WRITTEN
        danger = dangers.danger_in(material.text, reply.turn.conversation.person)
        if danger is None:
            await reply.say(crisis.line("failed", language=material.language, seed=material.turn_id.int), whole=True)
        else:
            finish = Finish.CRISIS
            plan = await in_database(dangers.danger_plan, reply.turn, material.text, danger)
            finish = await _told(reply, plan)
    with contextlib.suppress(Exception):  # where that fails too, the lease runs out and the next try comes here again
        await _finish(reply, finish, learn=False)
        await live.wake(material.conversation_id)


async def _renew(reply: Reply) -> None:
    """Keep the lease while the engine thinks, and hear a stop that came through another process."""
    while True:
        await asyncio.sleep(RENEW_S)
        # The lease lasts for three of these. Where it is lost, the next write says so.
        with contextlib.suppress(DatabaseError, answering.LeaseLost):
            if await in_database(answering.turn_renew, reply.material.turn_id, reply.fence, now=clock.now()):
                reply.stop.set()


async def _answer(reply: Reply) -> tuple[Finish, bool]:
    """Screen, then let people's words, memory or the engine answer. How it ended, and whether to learn."""
    material = reply.material
    if material.planned is not None:  # a crash came after people's own words were chosen: they are said to the end
        return await _told(reply, material.planned), False
    if material.said_already:  # a crash came after some sentences: what was said stays, and the turn ends there
        return Finish.COMPLETE, False
    try:
        start = clock.monotonic()
        reading, encoded = await heard(material)
        reply.took("encode", start)
        screening = await _screen(reply, reading, encoded)
        if screening.decision.playbook is not None:
            return await _written(reply, screening.decision, screening), False
        return await _open_reply(reply, screening, encoded)
    except Stopped:
        return Finish.STOPPED, False
    except EngineError:
        finish = Finish.STOPPED  # where this is not to be said either
        with contextlib.suppress(Stopped):
            await reply.say(crisis.line("failed", language=material.language, seed=material.turn_id.int))
            finish = Finish.FAILED
        return finish, False


async def _open_reply(reply: Reply, screening: Screening, encoded: Encoded | None) -> tuple[Finish, bool]:
    """From memory, when the message asks for it; by a skill that it is for; else freely. Not while the gate says no."""
    material = reply.material
    if material.closed is not None:
        return _refused(reply, material.closed), False
    if reply.stop.is_set():
        raise Stopped
    if reply.fence > TRIES:  # something in this turn breaks whoever answers it
        raise EngineError("tried too often")
    learn = material.memory and not material.off_record and screening.decision.action == "allow"
    if material.played:
        played_on(reply)
    remembered = await _remembered(reply, screening)
    if remembered is not None:
        return remembered, learn and remembered is Finish.COMPLETE
    played = await turn_played(reply, screening)
    if played is not None:
        return played, False
    recalled = await called_back(reply, screening)
    if recalled is not None:
        return recalled, learn
    return await _free(reply, screening, encoded), learn


async def _screen(reply: Reply, reading: Reading, encoded: Encoded | None) -> Screening:
    material, start = reply.material, clock.monotonic()
    screening = screen.check_message(
        material.text,
        reading=reading,
        history=material.exchanged(),
        band=material.band,
        language=material.language,
        watch=material.watch,
        now=clock.now(),
        plain=material.plain,
        known=skills().offers(material.text, material.language) or crisis.offers(material.text, material.language),
    )
    reply.took("moderation", start)
    decision = screening.decision
    reply.trace["decision"] = {
        "action": decision.action, "severity": decision.severity, "level": decision.level,
        "categories": list(decision.categories), "playbook": decision.playbook, "policy": decision.policy,
        "reason": decision.reason, "band": material.band, "plain": material.plain, "hits": hits_kept(screening.hits),
    }  # fmt: skip
    start = clock.monotonic()
    vector = None if encoded is None else encoded.vector
    reply.known = await in_database(screening_store, material, screening, vector, fence=reply.fence)
    reply.took("recall", start)
    return screening


def _crisis_answer(
    reply: Reply, decision: Decision, watch: WatchState, language: Language, *, guarded: bool = False
) -> crisis.CrisisAnswer:
    return crisis.answer(
        decision,
        watch,
        text=reply.material.text,
        language=language,
        country=reply.material.country,
        band=reply.material.band,
        guarded=guarded,
        now=clock.now(),
        production=not settings.DEBUG,
    )


async def _written(reply: Reply, decision: Decision, screening: Screening) -> Finish:
    """The words that people wrote for this, with the helplines of the country. No engine, no skill, no memory."""
    guarded = adult_wanted(decision) and await in_database(is_guarded, reply.material.owner_id)
    answer = _crisis_answer(reply, decision, screening.watch, screening.language, guarded=guarded)
    if answer.told:
        reply.trace["adult_told"] = True
    if answer.card is not None:
        reply.trace["card"] = answer.card.to_json()
    reply.trace["mood"] = "calm"
    reply.trace["chips"] = list(answer.chips)
    reply.trace["words"] = list(answer.bubbles)
    await in_database(_plan, reply, decision, answer.watch, screening.watch)
    return await _told(reply, reply.trace)


def _plan(reply: Reply, decision: Decision, watch: WatchState, before: WatchState) -> None:
    """Keep what will be said before the first word of it, so that a crash leaves no half of it, and no second one."""
    material = reply.material
    with transaction.atomic():
        answering.turn_plan(turn_id=material.turn_id, fence=reply.fence, trace=reply.trace)
        incidents.watch_store(material.owner_id, watch, before=before)
        play_close(material.owner_id)
        if "card" in reply.trace:
            incidents.referral_count(
                region=material.region or material.country,
                category=decision.categories[0] if decision.categories else "",
                band=material.band,
            )


async def _told(reply: Reply, trace: dict[str, Any]) -> Finish:
    """Say the planned words, but those that were said before a crash. Nothing stops them halfway: the next message
    goes on where they end."""
    reply.engine, reply.trace = answering.WRITTEN, trace
    for bubble in trace["words"][reply.material.said_already + len(reply.pieces) :]:
        await reply.say(bubble, whole=True)
    if trace.get("adult_told"):  # the teen has heard it: now their guardian may be asked (4.9)
        await in_database(adult_line_stored, reply.material.turn_id)
    return Finish.CRISIS if trace["decision"]["action"] == "crisis" else Finish.COMPLETE


def _refused(reply: Reply, refusal: gate.Refused) -> Finish:
    """The gate says no since the message came: a notice, and no reply."""
    with translation.override(reply.material.language.lower()):
        reply.trace["notice"] = refusal_notice(refusal).model_dump()
    return Finish.WITHHELD


async def _remembered(reply: Reply, screening: Screening) -> Finish | None:
    """Answer from memory, when the message asks for it; None when it doesn't."""
    answer = reply.known.answer
    if answer is None:
        return None
    reply.engine = answering.MEMORY
    reply.trace["memories"] = [str(used) for used in answer.used]
    if not await may_be_said_back(reply, answer.theirs, screening):
        return await say_withheld(reply, screening)
    for sentence in sentences_of(answer.text):
        if not await say_checked(reply, Delta(sentence), screening, written=True):
            return await say_withheld(reply, screening)
    reply.trace["spoken_of"] = [str(one) for one in (*answer.used, *answer.said)]
    return Finish.COMPLETE


async def _free(reply: Reply, screening: Screening, encoded: Encoded | None) -> Finish:
    """Recall, build the prompt, let the engine speak. What may not be said is tried once more in other words, as long
    as nothing was said; then a written line stands in its place."""
    prompt = _prompt(reply, screening, encoded)
    passed = await _streamed(reply, prompt, screening)
    if not passed and not reply.pieces and not reply.stop.is_set():
        passed = await _streamed(reply, replace(prompt, seed=prompt.seed ^ 1), screening)
    if reply.stop.is_set():
        raise Stopped
    if not passed:
        return await say_withheld(reply, screening)
    if not reply.pieces:
        raise EngineError("not one whole sentence")
    await called_back_after(reply, screening)
    return Finish.COMPLETE


async def _streamed(reply: Reply, prompt: Prompt, screening: Screening) -> bool:
    """Say what the engine gives, sentence by sentence, each when it has passed. False at the first that may not be."""
    start = clock.monotonic()
    # Closed here and not by the collector: an engine that nobody listens to must stop.
    async with aclosing(engine_stream(prompt, Limits())) as pieces:
        async for name, delta in whole_sentences(until_stopped(pieces, reply.stop)):
            reply.took("choose", start)
            reply.engine = name
            if delta.text.strip() and not await say_checked(reply, delta, screening):
                return False
            recalled_in(reply, delta.text)
            if delta.chips:
                reply.trace["chips"] = list(delta.chips)
            if delta.mood:
                reply.trace["mood"] = delta.mood
            if delta.drawing in drawings():  # an engine may be anybody's code
                reply.trace["drawing"] = delta.drawing
            start = clock.monotonic()
    return True


def _prompt(reply: Reply, screening: Screening, encoded: Encoded | None) -> Prompt:
    material, known = reply.material, reply.known
    reply.trace["memories"] = [item.id for item in known.recalled]
    low = screening.decision.low
    return Prompt(
        text=material.text,
        language=screening.language,
        band=material.band,
        history=material.usable,
        persona=material.companion.voice(),
        mood=mood_next(
            history=material.usable,
            text=material.text,
            low=low,
            hour=material.local.hour,
            before=material.companion.mood,
        ),
        memories=known.recalled,
        vector=None if encoded is None else encoded.vector,
        low=low,
        plain=material.plain,
        seed=material.turn_id.int & 0x7FFFFFFF,
        person=known.name,
        told=known.told,
        leaves="farewell" in screening.signals,
        recalls=reply.may_recall,
        passed=tuple(line for answer in material.passed for line in answer),
    )


async def _finish(reply: Reply, finish: Finish, *, learn: bool, said: Sequence[str] | None = None) -> None:
    reply.took("total")
    await in_database(
        answering.turn_finish,
        turn=reply.turn,
        finish=finish,
        engine=reply.engine,
        trace=reply.trace,
        timings=reply.timings,
        learn=learn,
        said=said,
        off_record=reply.material.off_record,
        unasked=reply.unasked,
    )
    metrics.TURNS.labels(finish.value).inc()
    if "decision" in reply.trace:
        metrics.DECISIONS.labels(reply.trace["decision"]["action"]).inc()
    metrics.TURN.observe(reply.timings["total"] / 1000)
    if "first_token" in reply.timings:
        metrics.FIRST_TOKEN.observe(reply.timings["first_token"] / 1000)
