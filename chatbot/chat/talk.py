"""What happens to a message before its turn: danger first, then the gate, then the row. The way in of every door."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.accounts.standing import Standing
from chatbot.chat import answering, dangers, live, services
from chatbot.chat.help_ready import HelpUnchecked, may_talk_as
from chatbot.chat.material import language_of
from chatbot.chat.turn import turn_hush, turn_run
from chatbot.core import clock, metrics, ratelimit
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from moderation import screen
from moderation import watch as watching
from moderation.crisis import CrisisAnswer
from moderation.incidents import services as incidents
from moderation.types import Decision

log = structlog.get_logger()
PER_MINUTE = 20
# Refusals about time: a message in danger is stored and answered like any other. The others hold back storing.
_STORE_IN_DANGER = (
    gate.QuietHours, gate.LimitReached, gate.BreakOpen, gate.RepliesStopped, gate.DealOpen, HelpUnchecked,
)  # fmt: skip


class TooFast(gate.Refused):
    """More messages a minute than anybody types."""

    code = "too_fast"

    def __init__(self, wait_s: int) -> None:
        super().__init__()
        self.wait_s = wait_s

    def sentence(self) -> str:
        from django.utils.translation import gettext as _

        return _("That was quick! Give me a few seconds, then send it again. It's still in your box.")


class NotStored(Exception):
    """The database is away, or the person's key: nothing was lost, nothing was kept. `cause`: which of them."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


@dataclass(frozen=True)
class Taken:
    """What became of a message: stored (with whether a break falls due), or answered in danger without storing."""

    acceptance: services.Acceptance | None
    break_due: bool = False
    danger: CrisisAnswer | None = None


_running: set[asyncio.Task[bool]] = set()


def turn_start(turn_id: uuid.UUID) -> None:
    """Answer a turn in a task of its own; the reference is kept, or the task could be collected mid-sentence."""
    task = asyncio.get_running_loop().create_task(_answer_on(turn_id))
    _running.add(task)
    task.add_done_callback(_ended)


async def _answer_on(turn_id: uuid.UUID) -> bool:
    """Answer this turn, then those that came in meanwhile and waited for it."""
    answered = following = await turn_run(turn_id)
    while following:
        waiting = await in_database(answering.turn_next, turn_id, now=clock.now())
        following = waiting is not None and await turn_run(waiting)
    return answered


async def turn_stop(*, person: User, turn_id: uuid.UUID) -> None:
    """Stop a turn, wherever it is answered. Raises services.NotYours."""
    conversation_id = await in_database(services.turn_stop, person=person, turn_id=turn_id)
    turn_hush(turn_id)
    await live.wake(conversation_id)


def _ended(task: asyncio.Task[bool]) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("turn_failed", error=type(task.exception()).__name__)


async def turns_release() -> None:
    """Cancel what runs, each giving its lease back (the server goes down)."""
    for task in list(_running):
        task.cancel()
    await asyncio.gather(*_running, return_exceptions=True)


async def message_take(
    *, person: User, conversation_id: uuid.UUID | None, client_id: uuid.UUID, text: str, paced: bool = True,
    off_record: bool = False,
) -> Taken:  # fmt: skip
    """Take a message in: danger first, then the gate and the speed limit, then the row. The terminal is not `paced`.

    Without a conversation it goes to the running one. `off_record`: nothing of it is remembered; all else is as ever.
    Raises gate.Refused (nothing stored, text discarded), TooFast, NotStored.
    """
    danger = dangers.danger_in(text, person)
    try:
        return await in_database(
            _take, person, conversation_id, client_id, text, danger=danger, paced=paced, off_record=off_record
        )
    except (DatabaseError, CryptoError) as error:
        log.error("database_away", error=type(error).__name__)
        return message_without_database(person, text, danger, cause=error)


def message_without_database(person: User, text: str, danger: Decision | None, *, cause: Exception) -> Taken:
    """What can be done when nothing can be stored: the written flow for danger. Raises NotStored for the rest."""
    if danger is None:
        raise NotStored(cause)
    return Taken(None, danger=dangers.answer_without_database(person, text, danger))


@dataclass(frozen=True)
class _Admitted:
    """Who may be answered. held: in a crisis. unstored: what to answer with when their words may not be kept."""

    held: bool
    unstored: dangers.Unstored | None = None


def _admit(standing: Standing, text: str, danger: Decision | None, *, paced: bool, now: datetime) -> _Admitted:
    """The gate and the speed limit. Raises gate.Refused, TooFast; never for somebody in danger."""
    person = standing.person
    watch = watching.settle(incidents.watch_load(person.id), now)
    held = danger is not None or dangers.in_crisis(watch)
    wait = ratelimit.allowed(f"say:{person.id}", most=PER_MINUTE, per_s=60) if paced else 0
    try:
        may_talk_as(standing, now=now)
    except gate.Refused as refusal:
        metrics.REFUSALS.labels(refusal.code).inc()
        # A text that the gate refuses still gets the full screen, unless its sender is over the speed limit.
        if wait and not held:
            raise
        screening = screen.check_message(
            text, band=gate.band_of(person, now), language=language_of(person), watch=watch, now=now
        )
        decision = screening.decision if _grave(screening.decision) else danger
        if decision is None:
            if dangers.in_crisis(watch):  # the conversation has turned away from it twice: that is known from now on
                incidents.watch_store(person.id, screening.watch, before=watch)
            raise
        if isinstance(refusal, _STORE_IN_DANGER):
            return _Admitted(held=True)
        return _Admitted(held=True, unstored=dangers.Unstored(decision, screening.watch, watch))
    if wait and not held:
        raise TooFast(wait)
    return _Admitted(held)


def _grave(decision: Decision) -> bool:
    """Whether the written flow answers, whatever the gate says."""
    return decision.action == "crisis" or (decision.playbook is not None and decision.severity >= 2)


def _fresh(given: User) -> Standing:
    standing = Standing.read(given.id)
    if standing is None:
        raise gate.SignedOut
    return standing


def _take(
    given: User,
    conversation_id: uuid.UUID | None,
    client_id: uuid.UUID,
    text: str,
    *,
    danger: Decision | None,
    paced: bool,
    off_record: bool = False,
) -> Taken:
    standing, now = _fresh(given), clock.now()
    person = standing.person
    # A double send is neither a second message nor a second tick of the speed limit.
    known = services.accepted_before(person, client_id)
    if known is not None:
        return Taken(known)
    admitted = _admit(standing, text, danger, paced=paced, now=now)
    if admitted.unstored is not None:
        own = services.conversation_own(person=person, conversation_id=conversation_id)
        return Taken(None, danger=dangers.answer_unstored(person, text, admitted.unstored, own, key=client_id))
    try:
        conversation = services.conversation_for_message(person=person, conversation_id=conversation_id)
        acceptance = services.message_accept(
            person=person, conversation=conversation, client_id=client_id, text=text,
            record=_record(standing, off_record, now),
        )  # fmt: skip
    except services.NotYours:
        if danger is None:
            raise
        return Taken(None, danger=dangers.answer_unkept(person, text, danger, key=client_id))
    if danger is not None:
        for older in services.turns_hurry(acceptance):
            turn_hush(older)
    return Taken(acceptance, break_due=_used(standing, held=admitted.held, now=now))


def _record(standing: Standing, off_record: bool, now: datetime) -> services.Record:
    if not off_record:
        return services.Record.ON
    return services.Record.OFF if gate.remembers(standing, now=now) else services.Record.UNLEARNED


def _used(standing: Standing, *, held: bool, now: datetime) -> bool:
    """Count the turn, but not in a crisis. Whether a break falls due with it."""
    if held:
        people.usage_pause(standing.person, now=now)
        return False
    return people.usage_record(standing.person, now=now, seen=standing.presence)


async def sweep_turns() -> int:
    """Start every turn that nobody answers (a crash, a deploy). Number started."""
    found = await in_database(answering.turns_lost, now=clock.now())
    for turn_id in found:
        turn_start(turn_id)
    return len(found)


async def conversation_wake(conversation_id: uuid.UUID) -> None:
    """Tell the followers of a conversation to look."""
    await live.wake(conversation_id)


async def message_correct(*, person: User, message_id: uuid.UUID, text: str, off_record: bool = False) -> Taken:
    """Correct the last message: the same way in as a new one. Raises as `message_take`, and services.NotPossible."""
    danger = dangers.danger_in(text, person)
    try:
        return await in_database(_correct, person, message_id, text, danger, off_record=off_record)
    except (DatabaseError, CryptoError) as error:
        log.error("database_away", error=type(error).__name__)
        return message_without_database(person, text, danger, cause=error)


def _correct(
    given: User, message_id: uuid.UUID, text: str, danger: Decision | None, *, off_record: bool = False
) -> Taken:
    standing, now = _fresh(given), clock.now()
    person = standing.person
    admitted = _admit(standing, text, danger, paced=True, now=now)
    if admitted.unstored is not None:
        conversation = services.message_conversation_own(person=person, message_id=message_id)
        return Taken(
            None, danger=dangers.answer_unstored(person, text, admitted.unstored, conversation, key=message_id)
        )
    try:
        record = _record(standing, off_record, now)
        acceptance = services.message_edit(person=person, message_id=message_id, text=text, record=record)
    except (services.NotPossible, services.NotYours):
        # DANGER: an edit that can't be made (an older message, an answer still under way) is heard all the same.
        if danger is None:
            raise
        return Taken(None, danger=dangers.answer_unkept(person, text, danger))
    return Taken(acceptance, break_due=_used(standing, held=admitted.held, now=now))


async def turn_repeat(*, person: User, turn_id: uuid.UUID) -> Taken:
    """Another answer to the last message. Raises gate.Refused, TooFast, services.NotPossible."""
    return await in_database(_repeat, person, turn_id)


def _repeat(given: User, turn_id: uuid.UUID) -> Taken:
    standing, now = _fresh(given), clock.now()
    person = standing.person
    held = dangers.crisis_of(person)
    wait = ratelimit.allowed(f"say:{person.id}", most=PER_MINUTE, per_s=60)
    if not held:
        may_talk_as(standing, now=now)
        if wait:
            raise TooFast(wait)
    acceptance = services.turn_again(person=person, turn_id=turn_id)
    return Taken(acceptance, break_due=_used(standing, held=held, now=now))
