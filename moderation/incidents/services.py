"""Everything that changes incidents, watches and counts."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from chatbot.accounts.models import User
from chatbot.core import clock, keys
from chatbot.core.audit import audit_record
from chatbot.core.crypto import CryptoError
from chatbot.core.locks import hold
from chatbot.core.rows import only_row
from moderation.crisis.helplines import helplines, verified_put
from moderation.detectors.personal.spans import mask, personal_spans
from moderation.detectors.private import private_spans
from moderation.incidents.adults import adult_want, adults_hold
from moderation.incidents.models import (
    CrisisCount,
    HelplineCheck,
    Incident,
    IncidentEvent,
    IncidentState,
    PersonWatch,
)
from moderation.incidents.outcomes import OUTCOMES, REASON_LONGEST, REASON_SHORTEST
from moderation.types import Decision, WatchState
from moderation.watch import from_json, lift_home_danger, to_json
from moderation.watch_together import together

log = structlog.get_logger()

# Minutes until a person should have looked, by severity (4.9: under 15 minutes where staffed).
DUE_MINUTES = {4: 15, 3: 60, 2: 24 * 60, 1: 72 * 60}
EXCERPT_CHARS = 600
DAYS = 30
CLAIM, UNDO, HOUR = timedelta(minutes=30), timedelta(minutes=5), timedelta(hours=1)
# What opens of the severe within an hour; a life in danger that is due, or nearly, opens all the same.
SEVERE, SEVERE_AN_HOUR, DUE_NOW = 3, 8, timedelta(minutes=5)


def incident_file(
    *,
    person_id: uuid.UUID,
    conversation_id: uuid.UUID | None,
    turn_id: uuid.UUID | None,
    decision: Decision,
    excerpt: str | None,
    kind: Literal["message", "reply", "report"],
    reason: str = "",
    late: bool = False,
) -> Incident:
    """File what was flagged. The same turn twice is one incident (a turn taken up again after a crash).

    late: it was answered while the database was away. Staff have it; no guardian is asked.
    """
    known = _filed(turn_id, kind)
    if known is not None:
        return known
    now = clock.now()
    incident = Incident(
        person_id=person_id,
        conversation_id=conversation_id,
        turn_id=turn_id,
        kind=kind,
        severity=decision.severity,
        level=decision.level or "",
        categories=list(decision.categories),
        reason=reason,
        excerpt=_kept(person_id, excerpt),
        at=now,
        sla_due=now + timedelta(minutes=DUE_MINUTES.get(decision.severity, DUE_MINUTES[1])),
    )
    try:
        with transaction.atomic():
            incident.save(force_insert=True)
            IncidentEvent.objects.create(incident=incident, actor="house", action="filed", at=now)
            if kind == "message":
                adult_want(incident, decision, late=late)
    except IntegrityError:  # two at once: a double send, or a turn that two processes hold to be theirs
        known = _filed(turn_id, kind)
        if known is None:
            raise
        return known
    return incident


def _filed(turn_id: uuid.UUID | None, kind: str) -> Incident | None:
    return None if turn_id is None else Incident.objects.filter(turn_id=turn_id, kind=kind).first()


def _kept(person_id: uuid.UUID, text: str | None) -> str | None:
    """The excerpt as it is kept. None of somebody whose key is lost: staff learn that there is danger all the same."""
    if text is None or isinstance(keys.key_missing(person_id), keys.KeyLost):
        return None
    return _masked(text)


def _masked(text: str) -> str:
    """The excerpt without phone numbers, addresses and the like, of whom they love, and of sexual health (4.10)."""
    text = mask(text, personal_spans(text))
    return mask(text, private_spans(text))[:EXCERPT_CHARS]


class ImpossibleMove(Exception):
    """The incident is not in a state from which this can be done, somebody else was first, or it is gone."""


class ExcerptGone(Exception):
    """There are no words to open: none were kept, or the person's key was destroyed."""


class Pause(Exception):
    """This moderator opened enough severe excerpts within the hour. `until` is when the next one opens."""

    def __init__(self, until: datetime) -> None:
        super().__init__(str(until))
        self.until = until


def _free(incident_id: uuid.UUID, now: datetime) -> QuerySet[Incident]:
    """The incident, if nobody holds it."""
    ran_out = Q(claimed_until=None) | Q(claimed_until__lte=now)
    waiting = Q(state=IncidentState.OPEN) | Q(state=IncidentState.CLAIMED) & ran_out
    return Incident.objects.filter(waiting, id=incident_id)


def _held(incident_id: uuid.UUID, moderator_id: uuid.UUID, now: datetime) -> QuerySet[Incident]:
    """The incident, if this moderator holds it."""
    return Incident.objects.filter(
        id=incident_id, state=IncidentState.CLAIMED, assignee_id=moderator_id, claimed_until__gt=now
    )


def _step(
    rows: QuerySet[Incident], moderator_id: uuid.UUID, changes: Mapping[str, Any], *, action: str, audit: str, note: str
) -> Incident:
    """One step by a counted update, so that of two moderators one is first, together with what tells of it."""
    with transaction.atomic():
        incident = rows.first()
        if incident is None or rows.update(**changes) != 1:
            raise ImpossibleMove(f"{action} is not possible")
        # Not its words: claiming and closing must be possible where nobody can open them.
        incident.refresh_from_db(fields=list(changes))
        _tell(incident, moderator_id, action=action, audit=audit, note=note)
    return incident


def _tell(incident: Incident, moderator_id: uuid.UUID, *, action: str, audit: str, note: str = "") -> None:
    """The event for staff, and the audit entry that its owner reads: it names who it was."""
    event = IncidentEvent(incident=incident, actor=str(moderator_id), action=action, note=note or None, at=clock.now())
    event.save(force_insert=True)
    moderator = User.objects.get(id=moderator_id)
    detail = {"by": moderator.username, "incident": str(incident.id)}
    # DANGER: a page of the person's is read over their shoulder too. That home was unsafe must not stand on it (4.9).
    subject = None if audit == "home_danger_lifted" else incident.person_id
    audit_record(actor=moderator.role, subject=subject, action=audit, detail=detail)


def incident_claim(*, incident_id: uuid.UUID, moderator_id: uuid.UUID) -> Incident:
    """Take what nobody holds, for half an hour. Raises ImpossibleMove."""
    now = clock.now()
    changes = {"state": IncidentState.CLAIMED, "assignee_id": moderator_id, "claimed_until": now + CLAIM}
    return _step(_free(incident_id, now), moderator_id, changes, action="claimed", audit="incident_claimed", note="")


def incident_release(
    *, incident_id: uuid.UUID, moderator_id: uuid.UUID, reason: str = "", second_look: bool = False
) -> Incident:
    """Its holder gives it back, perhaps asking that somebody else looks. Raises ImpossibleMove."""
    changes: dict[str, Any] = {"state": IncidentState.OPEN, "assignee_id": None, "claimed_until": None}
    if second_look:
        changes["second_look"] = True
    rows, action = _held(incident_id, moderator_id, clock.now()), "second_look" if second_look else "released"
    return _step(rows, moderator_id, changes, action=action, audit="incident_released", note=reason)


def claims_release(moderator_id: uuid.UUID) -> int:
    """Everything that this moderator holds goes back at once ("I need to stop"). Number of incidents."""
    now = clock.now()
    mine = Incident.objects.filter(state=IncidentState.CLAIMED, assignee_id=moderator_id, claimed_until__gt=now)
    released = 0
    for incident_id in list(mine.values_list("id", flat=True)):
        with contextlib.suppress(ImpossibleMove):
            incident_release(incident_id=incident_id, moderator_id=moderator_id)
            released += 1
    return released


def claims_lapse() -> int:
    """Free the claims that ran out, so that one that was forgotten blocks nobody. Number freed."""
    now, freed = clock.now(), 0
    for incident_id in Incident.objects.filter(state=IncidentState.CLAIMED).values_list("id", flat=True):
        rows = _free(incident_id, now).filter(state=IncidentState.CLAIMED)
        with transaction.atomic():
            if rows.update(state=IncidentState.OPEN, assignee_id=None, claimed_until=None) == 1:
                IncidentEvent.objects.create(incident_id=incident_id, actor="house", action="lapsed", at=now)
                freed += 1
    return freed


def excerpt_open(*, incident_id: uuid.UUID, moderator_id: uuid.UUID) -> str:
    """The words, masked, for who holds the incident. The look is written down with it, and its owner sees who looked.

    Raises ImpossibleMove, Pause, ExcerptGone.
    """
    now = clock.now()
    with transaction.atomic():
        rows = _held(incident_id, moderator_id, now)
        incident = rows.select_for_update().first()
        if incident is None:
            raise ImpossibleMove("only who holds it opens it")
        _pause_look(incident, moderator_id, now)
        words = _opened(incident)
        rows.update(claimed_until=now + CLAIM)
        _tell(incident, moderator_id, action="excerpt_read", audit="excerpt_read")
    return words


def _opened(incident: Incident) -> str:
    try:
        words = incident.excerpt
    except CryptoError:
        raise ExcerptGone from None
    if not words:
        raise ExcerptGone
    return _masked(words)


def _pause_look(incident: Incident, moderator_id: uuid.UUID, now: datetime) -> None:
    """Harm comes from repetition: so many severe ones an hour, except for a life that can't wait. Raises Pause."""
    if incident.severity < SEVERE or (incident.severity == 4 and incident.sla_due <= now + DUE_NOW):
        return
    opened = IncidentEvent.objects.filter(
        actor=str(moderator_id), action="excerpt_read", at__gt=now - HOUR, incident__severity__gte=SEVERE
    ).order_by("-at")[:SEVERE_AN_HOUR]
    times = [event.at for event in opened]
    if len(times) >= SEVERE_AN_HOUR:
        raise Pause(times[-1] + HOUR)


def incident_decide(*, incident_id: uuid.UUID, moderator_id: uuid.UUID, outcome: str, reason: str) -> Incident:
    """Close a claimed incident with one of the OUTCOMES and the reason for it. Raises ImpossibleMove, ValueError."""
    if outcome not in OUTCOMES or not REASON_SHORTEST <= len(reason) <= REASON_LONGEST:
        raise ValueError("a decision needs an outcome of the table, and a reason")
    now = clock.now()
    changes = {"state": IncidentState.DECIDED, "outcome": outcome, "decided_at": now, "claimed_until": None}
    rows = _held(incident_id, moderator_id, now)
    return _step(rows, moderator_id, changes, action=outcome, audit="incident_decided", note=reason)


def incident_undo(*, incident_id: uuid.UUID, moderator_id: uuid.UUID) -> Incident:
    """Take one's own decision back, within five minutes. It is claimed again. Raises ImpossibleMove."""
    now = clock.now()
    rows = Incident.objects.filter(
        id=incident_id, state=IncidentState.DECIDED, assignee_id=moderator_id, decided_at__gt=now - UNDO
    ).filter(answered_at=None)
    changes = {
        "state": IncidentState.CLAIMED, "outcome": "", "decided_at": None, "claimed_until": now + CLAIM,
    }  # fmt: skip
    return _step(rows, moderator_id, changes, action="undone", audit="incident_reopened", note="")


def incident_home_safe(*, incident_id: uuid.UUID, moderator_id: uuid.UUID, reason: str) -> Incident:
    """Staff say that home is safe again. Only who holds one of the person's incidents can. Raises ImpossibleMove."""
    with transaction.atomic():
        now = clock.now()
        changes = {"claimed_until": now + CLAIM}
        rows = _held(incident_id, moderator_id, now)
        held = rows.first()
        if held is not None:  # before the audit entry, which comes last: see core/locks.py
            home_danger_lift(person_id=held.person_id, actor=str(moderator_id))
        return _step(rows, moderator_id, changes, action="home_danger_lifted", audit="home_danger_lifted", note=reason)


def reports_answer() -> int:
    """Tell who reported something what came of it (R39), once the decision can't be taken back. Number told."""
    now, told = clock.now(), 0
    decided = Incident.objects.filter(kind="report", state=IncidentState.DECIDED, answered_at=None)
    for incident in decided.filter(decided_at__lte=now - UNDO):
        with transaction.atomic():
            if Incident.objects.filter(id=incident.id, answered_at=None).update(answered_at=now) == 1:
                detail = {"outcome": incident.outcome}
                audit_record(actor="house", subject=incident.person_id, action="report_answered", detail=detail)
                told += 1
    return told


def watch_load(person_id: uuid.UUID) -> WatchState:
    """The person's watch; an empty one when there is none. One that does not open is not read as 'all is well'."""
    row = only_row(PersonWatch.objects.filter(person_id=person_id))
    return WatchState() if row is None else from_json(row.watch)


def watch_hold(person_id: uuid.UUID) -> WatchState:
    """The watch as `watch_load` reads it, and nobody changes it until the transaction ends."""
    hold(f"watch of {person_id}")
    return watch_load(person_id)


def watch_store(person_id: uuid.UUID, watch: WatchState, *, before: WatchState | None = None) -> None:
    """Keep the watch; an empty one for somebody who has none is not written.

    DANGER: `before` is the one that this one was made from. Where another conversation of the person wrote its own in
    between, both count (watch_together): a danger told there must not be undone by "hi" said here. With the watch that
    first says that home is the danger, alerts that nobody was told of yet are held back: it may be the last word (4.9).
    """
    with transaction.atomic():
        hold(f"watch of {person_id}")
        row = PersonWatch.objects.filter(person_id=person_id).first()
        standing = WatchState() if row is None else from_json(row.watch)
        if before is not None and standing != before:
            watch = together(before, watch, standing, clock.now())
        if watch == standing:
            return
        row = row or PersonWatch(person_id=person_id)
        row.watch = to_json(watch)
        row.save()
        if watch.home_danger and not standing.home_danger:
            adults_hold(person_id)


def referral_count(*, region: str, category: str, band: str) -> None:
    """One more time that helplines were shown."""
    row, _ = CrisisCount.objects.get_or_create(
        region=region or "?", month=clock.now().strftime("%Y-%m"), category=category or "?", band=band
    )
    CrisisCount.objects.filter(pk=row.pk).update(count=F("count") + 1)


def helpline_check(*, line: str, right: bool, actor: str) -> HelplineCheck:
    """Record that a line was called or opened. Raises KeyError for a line that helplines.yaml doesn't have."""
    if all(row.id != line for row in helplines().lines):
        raise KeyError(line)
    check = HelplineCheck.objects.create(line=line, right=right, actor=actor, at=clock.now())
    transaction.on_commit(helplines_refresh)
    return check


def helplines_refresh() -> int:
    """Hand the checks to the cards, which read no database. By a sweep, and after each check. Number of lines."""
    verified: dict[str, date] = {}
    wrong: set[str] = set()
    for check in HelplineCheck.objects.order_by("at", "id"):
        if check.right:
            verified[check.line] = check.at.date()
            wrong.discard(check.line)
        else:
            wrong.add(check.line)
    verified_put(verified, wrong=wrong)
    return len(verified)


def home_danger_lift(*, person_id: uuid.UUID, actor: str) -> None:
    """Home is safe again, by staff or by the teen. Until this, it stays."""
    watch = watch_load(person_id)
    watch_store(person_id, lift_home_danger(watch), before=watch)
    log.info("home_danger_lifted", actor=actor)


def incidents_expire() -> int:
    """Delete decided incidents after 30 days (R29). Number deleted."""
    deleted, _ = Incident.objects.filter(at__lt=clock.now() - timedelta(days=DAYS), state="decided").delete()
    return deleted


def person_forget(person_id: uuid.UUID) -> None:
    """Erase what is held about a person (their key is gone already)."""
    Incident.objects.filter(person_id=person_id).delete()
    PersonWatch.objects.filter(person_id=person_id).delete()
    keys.forget_cached()
