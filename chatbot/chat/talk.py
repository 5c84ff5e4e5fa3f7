"""What happens to a message before its turn: danger first, then the gate, then the row. The way in of every door."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.models import User
from chatbot.chat import live, services
from chatbot.chat.material import language_of
from chatbot.chat.models import Conversation
from chatbot.chat.turn import turn_run
from chatbot.core import clock, ratelimit
from chatbot.core.database import in_database
from moderation import crisis, screen
from moderation.crisis import CrisisAnswer
from moderation.incidents import services as incidents
from moderation.types import Decision, WatchState

log = structlog.get_logger()
PER_MINUTE = 20
# Refusals about time: a message in danger is stored and answered like any other. The others hold back storing.
_STORE_IN_DANGER = (gate.QuietHours, gate.LimitReached, gate.BreakOpen, gate.RepliesStopped, gate.DealOpen)


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
    """The database is away: nothing was lost, nothing was kept."""


@dataclass(frozen=True)
class Taken:
    """What became of a message: stored (with whether a break falls due), or answered in danger without storing."""

    acceptance: services.Acceptance | None
    break_due: bool = False
    danger: CrisisAnswer | None = None


_running: set[asyncio.Task[bool]] = set()


def turn_start(turn_id: uuid.UUID) -> None:
    """Answer a turn in a task of its own; the reference is kept, or the task could be collected mid-sentence."""
    task = asyncio.get_running_loop().create_task(turn_run(turn_id))
    _running.add(task)
    task.add_done_callback(_ended)


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
    *, person: User, conversation_id: uuid.UUID, client_id: uuid.UUID, text: str, paced: bool = True
) -> Taken:
    """Take a message in: danger first, then the gate and the speed limit, then the row. The terminal is not `paced`.

    Raises gate.Refused (nothing stored, text discarded), TooFast, NotStored.
    """
    danger = _danger(text, person)
    try:
        pace = PER_MINUTE if paced else None
        return await in_database(_take, person, conversation_id, client_id, text, danger=danger, pace=pace)
    except DatabaseError as error:
        log.error("database_away", error=type(error).__name__)
        if danger is None:
            raise NotStored from None
        return Taken(None, danger=_crisis(danger, person, text, WatchState()))


def _danger(text: str, person: User) -> Decision | None:
    """The rules, in memory. A broken rule must not let danger pass unseen: it counts as danger at the lowest level."""
    try:
        return screen.check_danger(text, language=language_of(person), watch=WatchState())
    except Exception as error:  # fail towards help
        log.error("danger_check_failed", error=type(error).__name__)
        return Decision(action="crisis", severity=3, level="L1", categories=("T01",), playbook="suicide_L1", low=True)


def _crisis(decision: Decision, person: User, text: str, watch: WatchState) -> CrisisAnswer:
    return crisis.answer(
        decision,
        watch,
        text=text,
        language=language_of(person),
        country=person.country,
        now=clock.now(),
        production=not settings.DEBUG,
    )


def _take(
    given: User,
    conversation_id: uuid.UUID,
    client_id: uuid.UUID,
    text: str,
    *,
    danger: Decision | None,
    pace: int | None,
) -> Taken:
    person = User.objects.filter(id=given.id).first()
    if person is None:
        raise gate.SignedOut
    conversation = services.conversation_open(person=person, conversation_id=conversation_id)
    # A double send is neither a second message nor a second tick of the speed limit.
    known = services.accepted_before(person, client_id)
    if known is not None:
        return Taken(known)
    now = clock.now()
    wait = ratelimit.allowed(f"say:{person.id}", most=pace, per_s=60) if pace else 0
    try:
        gate.may_talk(person, now=now)
    except gate.Refused as refusal:
        # A text that the gate refuses still gets the full screen, unless its sender is over the speed limit.
        danger = danger if danger is not None or wait else _full_screen(person, text)
        if danger is None:
            raise
        if not isinstance(refusal, _STORE_IN_DANGER):
            return Taken(None, danger=_answer_unstored(danger, person, conversation, text))
    if wait and danger is None:
        raise TooFast(wait)
    acceptance = services.message_accept(person=person, conversation=conversation, client_id=client_id, text=text)
    return Taken(acceptance, break_due=danger is None and people.usage_record(person, now=now))


def _answer_unstored(danger: Decision, person: User, conversation: Conversation, text: str) -> CrisisAnswer:
    """The written flow for somebody whose words the house may not keep; the watch and the incident are kept."""
    answer = _crisis(danger, person, text, incidents.watch_load(person.id))
    incidents.watch_store(person.id, answer.watch)
    if danger.incident:
        incidents.incident_file(
            person_id=person.id,
            conversation_id=conversation.id,
            turn_id=None,
            decision=danger,
            excerpt=text,
            kind="message",
        )
    return answer


def _full_screen(person: User, text: str) -> Decision | None:
    watch = incidents.watch_load(person.id)
    decision = screen.check_message(
        text, band=gate.band_of(person, clock.now()), language=language_of(person), watch=watch, now=clock.now()
    ).decision
    return decision if decision.action == "crisis" or (decision.playbook and decision.severity >= 2) else None


async def sweep_turns() -> int:
    """Start every turn that nobody answers (a crash, a deploy). Number started."""
    found = await in_database(services.turns_lost, now=clock.now())
    for turn_id in found:
        turn_start(turn_id)
    return len(found)


async def conversation_wake(conversation_id: uuid.UUID) -> None:
    """Tell the followers of a conversation to look."""
    await live.wake(conversation_id)


async def message_correct(*, person: User, message_id: uuid.UUID, text: str) -> services.Acceptance:
    """Correct the last message: the same gate as a new one, danger first. Raises gate.Refused, services.NotPossible."""
    danger = _danger(text, person)
    return await in_database(_correct, person, message_id, text, danger is not None)


def _correct(person: User, message_id: uuid.UUID, text: str, danger: bool) -> services.Acceptance:
    try:
        gate.may_talk(person, now=clock.now())
    except _STORE_IN_DANGER:
        if not danger:
            raise
    return services.message_edit(person=person, message_id=message_id, text=text)
