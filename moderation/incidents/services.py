"""Everything that changes incidents, watches and counts."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Literal

import structlog
from django.db import transaction
from django.db.models import F

from chatbot.core import clock, keys
from moderation.crisis.helplines import helplines, verified_put
from moderation.detectors.personal import mask, personal_spans
from moderation.incidents.models import (
    MOVES,
    CrisisCount,
    HelplineCheck,
    Incident,
    IncidentEvent,
    IncidentState,
    PersonWatch,
)
from moderation.types import Decision, WatchState
from moderation.watch import from_json, lift_home_danger, to_json

log = structlog.get_logger()

# Minutes until a person should have looked, by severity (4.9: under 15 minutes where staffed).
DUE_MINUTES = {4: 15, 3: 60, 2: 24 * 60, 1: 72 * 60}
EXCERPT_CHARS = 600
DAYS = 30


def incident_file(
    *,
    person_id: uuid.UUID,
    conversation_id: uuid.UUID | None,
    turn_id: uuid.UUID | None,
    decision: Decision,
    excerpt: str | None,
    kind: Literal["message", "reply", "report"],
    reason: str = "",
) -> Incident:
    """File what was flagged. The same turn twice is one incident (a turn taken up again after a crash)."""
    known = None if turn_id is None else Incident.objects.filter(turn_id=turn_id, kind=kind).first()
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
        excerpt=None if excerpt is None else _masked(excerpt),
        at=now,
        sla_due=now + timedelta(minutes=DUE_MINUTES.get(decision.severity, DUE_MINUTES[1])),
    )
    with transaction.atomic():
        incident.save(force_insert=True)
        IncidentEvent.objects.create(incident=incident, actor="house", action="filed", at=now)
    return incident


def _masked(text: str) -> str:
    """The excerpt without phone numbers, addresses and the like."""
    return mask(text, personal_spans(text))[:EXCERPT_CHARS]


class ImpossibleMove(Exception):
    """The incident is not in a state from which this can be done, or somebody else was first."""


def _move(incident_id: uuid.UUID, *, to: IncidentState, actor: str, action: str, assignee_id: uuid.UUID | None) -> None:
    """One step of the table, by a counted update, so that of two moderators one is first."""
    before = [state for state, after in MOVES.items() if to in after]
    rows = Incident.objects.filter(id=incident_id, state__in=before)
    if to is not IncidentState.CLAIMED:
        rows = rows.filter(assignee_id=assignee_id)
    with transaction.atomic():
        holder = None if to is IncidentState.OPEN else assignee_id
        if rows.update(state=to, assignee_id=holder) != 1:
            raise ImpossibleMove(f"{action} is not possible")
        IncidentEvent.objects.create(incident_id=incident_id, actor=actor, action=action, at=clock.now())


def incident_claim(*, incident_id: uuid.UUID, moderator_id: uuid.UUID) -> Incident:
    """Take an open incident. Raises ImpossibleMove."""
    _move(incident_id, to=IncidentState.CLAIMED, actor=str(moderator_id), action="claimed", assignee_id=moderator_id)
    return Incident.objects.get(id=incident_id)


def incident_release(*, incident_id: uuid.UUID, moderator_id: uuid.UUID) -> Incident:
    """Give a claimed incident back. Only its claimer can. Raises ImpossibleMove."""
    _move(incident_id, to=IncidentState.OPEN, actor=str(moderator_id), action="released", assignee_id=moderator_id)
    return Incident.objects.get(id=incident_id)


def incident_decide(*, incident_id: uuid.UUID, moderator_id: uuid.UUID, outcome: str) -> Incident:
    """Close a claimed incident with an outcome, e.g. "talked_to", "false_alarm". Raises ImpossibleMove."""
    _move(incident_id, to=IncidentState.DECIDED, actor=str(moderator_id), action=outcome[:24], assignee_id=moderator_id)
    return Incident.objects.get(id=incident_id)


def watch_load(person_id: uuid.UUID) -> WatchState:
    """The person's watch; an empty one when there is none. One that does not open is not read as 'all is well'."""
    row = PersonWatch.objects.filter(person_id=person_id).first()
    return WatchState() if row is None else from_json(row.watch)


def watch_store(person_id: uuid.UUID, watch: WatchState) -> None:
    """Keep the watch; an empty one for somebody who has none is not written."""
    row = PersonWatch.objects.filter(person_id=person_id).first()
    if row is None:
        if watch == WatchState():
            return
        row = PersonWatch(person_id=person_id)
    row.watch = to_json(watch)
    row.save()


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
    watch_store(person_id, lift_home_danger(watch_load(person_id)))
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
