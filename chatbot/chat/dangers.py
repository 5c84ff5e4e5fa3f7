"""What is done about a text in danger that is not, or can't be, stored as a message: the written flow all the same.

The watch, the incident and the count are kept where the database answers; else in memory, until it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from chatbot.accounts import gate
from chatbot.accounts.erasure import age_doubted
from chatbot.accounts.guardianship import is_guarded
from chatbot.accounts.models import User
from chatbot.chat.material import language_of
from chatbot.core import clock
from chatbot.core.crypto import CryptoError
from chatbot.core.database import in_database
from chatbot.core.keys import KeyMissing
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
    before = watching.settle(incidents.watch_load(person.id), clock.now())
    after = watching.advance(before, danger, clock.now())
    met = Unstored(danger, replace(after, home_danger=_home_danger(person, text, before)), before)
    return answer_unstored(person, text, met, None, key=key)


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
            _incident(late.person, late.danger, late.text, conversation_id=None, key=None, late=True)
        if late.shown:
            _referral_count(late.person, late.danger)
    return True


def answer_unstored(
    person: User,
    text: str,
    met: Unstored,
    conversation_id: uuid.UUID | None,
    *,
    key: uuid.UUID | None,
) -> CrisisAnswer:
    """The written flow for somebody whose words the house may not keep; the watch and the incident are kept."""
    decision = met.decision
    answer = _crisis(decision, person, text, met.watch, guarded=is_guarded(person.id))
    # All or nothing: where the database goes away in the middle, everything is filed later (answer_without_database).
    with transaction.atomic():
        incidents.watch_store(person.id, answer.watch, before=met.before)
        if answer.card is not None:
            _referral_count(person, decision)
        if decision.incident:
            _incident(person, decision, text, conversation_id=conversation_id, key=key)
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
    key: uuid.UUID | None,
    late: bool = False,
) -> None:
    """`key`: the client's id stands for the turn that there is not, so that a double send is one incident."""
    incidents.incident_file(
        person_id=person.id,
        conversation_id=conversation_id,
        turn_id=None if key is None else uuid.uuid5(person.id, str(key)),
        decision=decision,
        excerpt=text,
        kind="message",
        late=late,
    )
