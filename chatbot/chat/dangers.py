"""What is done about a text in danger that is not, or can't be, stored as a message, or whose turn breaks: the written
flow all the same.

The watch, the incident and the count are kept where the database answers; else in memory, until it does.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from chatbot.accounts import gate
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.guardianship import is_guarded
from chatbot.accounts.models import User
from chatbot.chat import answering
from chatbot.chat.material import language_of
from chatbot.chat.models import Turn
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.keys import KeyMissing
from companion.play.services import play_close
from moderation import crisis, screen
from moderation import watch as watching
from moderation.crisis import CrisisAnswer
from moderation.incidents import services as incidents
from moderation.taxonomy import QUESTIONS
from moderation.types import Decision, WatchState

log = structlog.get_logger()
MOST_UNFILED = 1000


@dataclass(frozen=True)
class _Unfiled:
    """A danger that was answered while the database was away. In memory only."""

    person: User
    danger: Decision
    text: str
    shown: bool


_unfiled: list[_Unfiled] = []


@dataclass(frozen=True)
class Unstored:
    """What is answered without storing it: what was decided, the watch after it, and the watch before it."""

    decision: Decision
    watch: WatchState
    before: WatchState


def danger_in(text: str, person: User) -> Decision | None:
    """The rules, in memory. A broken rule must not let danger pass unseen: it counts as danger at the lowest level."""
    try:
        return screen.check_danger(text, language=language_of(person), watch=WatchState())
    except Exception as error:  # fail towards help
        log.error("danger_check_failed", error=type(error).__name__)
        return Decision(action="crisis", severity=3, level="L1", categories=("T01",), playbook="suicide_L1", low=True)


def in_crisis(watch: WatchState) -> bool:
    """Whether a written conversation runs: until it ends no minutes count, no lock falls, no speed limit holds."""
    return watch.sequence is not None and watch.sequence.playbook not in QUESTIONS


def crisis_of(person: User) -> bool:
    """Whether this person stands in a crisis now."""
    return in_crisis(watching.settle(incidents.watch_load(person.id), clock.now()))


def crisis_shown(person: User) -> dict[str, object]:
    """What a page that opens shows of a crisis: whether the card is pinned, and what may be tapped to leave the written
    conversation."""
    watch = watching.settle(incidents.watch_load(person.id), clock.now())
    return {"pinned": in_crisis(watch), "suggestions": list(crisis.way_out(watch, language_of(person)))}


def _crisis(decision: Decision, person: User, text: str, watch: WatchState, *, guarded: bool = False) -> CrisisAnswer:
    return crisis.answer(
        decision,
        watch,
        text=text,
        language=language_of(person),
        country=person.country,
        band=gate.band_of(person, clock.now()),
        guarded=guarded,
        now=clock.now(),
        production=not settings.DEBUG,
    )


def danger_answer(person: User, text: str) -> CrisisAnswer | None:
    """The written words for a text in danger, from memory alone, keeping nothing; None where there is no danger."""
    danger = danger_in(text, person)
    return None if danger is None else _crisis(danger, person, text, WatchState())


def answer_without_database(person: User, text: str, danger: Decision) -> CrisisAnswer:
    """The written flow from memory. The incident is kept there too, and filed by `unfiled_file` once the database
    answers again."""
    answer = _crisis(danger, person, text, WatchState())
    if len(_unfiled) < MOST_UNFILED:
        _unfiled.append(_Unfiled(person, danger, text, answer.card is not None))
    return answer


async def danger_unkept(person: User, text: str) -> CrisisAnswer:
    """The written flow for a text in danger that is not a message (too long to be one). Works without a database."""
    danger = danger_in(text, person)
    if danger is None:
        raise ValueError("this text is not in danger")
    try:
        return await in_database(answer_unkept, person, text, danger)
    except (DatabaseError, CryptoError) as error:
        log.error("database_away", error=type(error).__name__)
        return answer_without_database(person, text, danger)


def answer_unkept(person: User, text: str, danger: Decision, key: uuid.UUID | None = None) -> CrisisAnswer:
    return answer_unstored(person, text, _met(person, text, danger), None, key=key)


def _met(person: User, text: str, danger: Decision) -> Unstored:
    """The danger that rules found, and what it makes of the watch."""
    before = watching.settle(incidents.watch_load(person.id), clock.now())
    after = watching.advance(before, danger, clock.now())
    return Unstored(danger, replace(after, home_danger=_home_danger(person, text, before)), before)


def danger_plan(turn: Turn, text: str, danger: Decision) -> dict[str, Any]:
    """What is said to a stored message whose turn breaks whoever answers it, with the watch, the incident and the count
    kept as ever, once. Raises answering.LeaseLost.

    DANGER: a fault in keeping it must not stand between a danger and its words, nor one in the watch between it and
    staff.
    """
    person = turn.conversation.person
    try:
        return _plan_kept(turn, text, danger)
    except answering.LeaseLost:
        raise
    except (DatabaseError, CryptoError) as error:
        log.error("database_away", error=type(error).__name__)
        return _planned(danger, answer_without_database(person, text, danger))
    except Exception as error:
        log.error("danger_half_kept", turn=str(turn.id), error=type(error).__name__)
        with contextlib.suppress(Exception):
            if danger.incident:
                _incident(person, danger, text, conversation_id=turn.conversation_id, turn_id=turn.id, late=True)
        return _planned(danger, _crisis(danger, person, text, WatchState()))


def _plan_kept(turn: Turn, text: str, danger: Decision) -> dict[str, Any]:
    person = turn.conversation.person
    met = _met(person, text, danger)
    with transaction.atomic():
        answering.turn_renew(turn.id, turn.fence, now=clock.now())
        standing = Turn.objects.get(id=turn.id).trace or {}
        if {"words", "decision"} <= standing.keys():  # all of it was kept with that
            return standing
        answering.turn_decide(turn_id=turn.id, message_id=turn.message_id, fence=turn.fence, action=danger.action)
        plan = _planned(danger, answer_unstored(person, text, met, turn.conversation_id, turn_id=turn.id))
        answering.turn_plan(turn_id=turn.id, fence=turn.fence, trace=plan)
    with contextlib.suppress(Exception):  # a game that stays open is no danger
        play_close(person.id)
    return plan


def _planned(decision: Decision, answer: CrisisAnswer) -> dict[str, Any]:
    """The answer as a turn keeps it."""
    plan: dict[str, Any] = {
        "decision": {
            "action": decision.action, "severity": decision.severity, "level": decision.level,
            "categories": list(decision.categories), "playbook": decision.playbook, "policy": decision.policy,
            "reason": decision.reason,
        },
        "words": list(answer.bubbles), "chips": list(answer.chips), "mood": "calm",
    }  # fmt: skip
    if answer.card is not None:
        plan["card"] = answer.card.to_json()
    return {**plan, "adult_told": True} if answer.told else plan


def _home_danger(person: User, text: str, before: WatchState) -> bool:
    """DANGER: whether home is the danger once this was said. Only the whole screen knows, and without it a guardian
    would be asked about the next danger. What can't be looked at is not read as 'home is safe'."""
    try:
        now = clock.now()
        screening = screen.check_message(
            text, band=gate.band_of(person, now), language=language_of(person), watch=before, now=now
        )
    except Exception as error:  # nothing may stand between a danger and its answer
        log.error("screen_failed", error=type(error).__name__)
        return True
    return screening.watch.home_danger


async def unfiled_file() -> int:
    """File what was answered while the database was away. Number filed; what fails stays for the next time, and holds
    nothing up that comes after it.

    DANGER: of all of them it is noted first whether home is the danger. An alert may wait that must be held back.
    """
    noted = [late for late in list(_unfiled) if await _tried(_home_note, late) is not None]
    filed = 0
    for late in noted:
        kept = await _tried(_file_late, late)
        if kept is not None:
            _unfiled.remove(late)
            filed += kept
    return filed


async def _tried(deed: Callable[[_Unfiled], bool], late: _Unfiled) -> bool | None:
    """What came of it. None where it has to wait. False for somebody who was erased meanwhile: there is nobody to file
    it about, and no key to seal it with."""
    try:
        return await in_database(deed, late)
    except KeyMissing:
        return False
    except (DatabaseError, CryptoError) as error:
        log.error("incident_put_off", error=type(error).__name__)
        return None


def _home_note(late: _Unfiled) -> bool:
    if not User.objects.filter(id=late.person.id).exists():
        return False
    before = incidents.watch_load(late.person.id)
    after = replace(before, home_danger=_home_danger(late.person, late.text, before))
    incidents.watch_store(late.person.id, after, before=before)
    return True


def _file_late(late: _Unfiled) -> bool:
    if not User.objects.filter(id=late.person.id).exists():
        return False
    with transaction.atomic():
        if late.danger.incident:
            _incident(late.person, late.danger, late.text, conversation_id=None, turn_id=None, late=True)
        if late.shown:
            _referral_count(late.person, late.danger)
    return True


def answer_unstored(
    person: User,
    text: str,
    met: Unstored,
    conversation_id: uuid.UUID | None,
    *,
    key: uuid.UUID | None = None,
    turn_id: uuid.UUID | None = None,
) -> CrisisAnswer:
    """The written flow for somebody whose words the house may not keep; the watch and the incident are kept.

    `key`: without a turn the client's id stands for it, so that a double send is one incident.
    """
    decision = met.decision
    answer = _crisis(decision, person, text, met.watch, guarded=is_guarded(person.id))
    # All or nothing: where the database goes away in the middle, everything is filed later (answer_without_database).
    with transaction.atomic():
        incidents.watch_store(person.id, answer.watch, before=met.before)
        if answer.card is not None:
            _referral_count(person, decision)
        if decision.incident:
            turn_id = turn_id or (None if key is None else uuid.uuid5(person.id, str(key)))
            _incident(person, decision, text, conversation_id=conversation_id, turn_id=turn_id)
    if "under_13" in decision.categories:  # R19 holds where nothing is stored too
        age_doubted(person.id)
    return answer


def _referral_count(person: User, decision: Decision) -> None:
    incidents.referral_count(
        region=person.region or person.country,
        category=decision.categories[0] if decision.categories else "",
        band=gate.band_of(person, clock.now()),
    )


def _incident(
    person: User,
    decision: Decision,
    text: str,
    *,
    conversation_id: uuid.UUID | None,
    turn_id: uuid.UUID | None,
    late: bool = False,
) -> None:
    incidents.incident_file(
        person_id=person.id,
        conversation_id=conversation_id,
        turn_id=turn_id,
        decision=decision,
        excerpt=text,
        kind="message",
        late=late,
    )
