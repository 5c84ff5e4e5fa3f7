"""Everything that changes incidents, watches and counts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Literal

import structlog
from django.db.models import F

from chatbot.core import clock, keys
from moderation.detectors.personal import mask, personal_spans
from moderation.incidents.models import CrisisCount, Incident, IncidentEvent, PersonWatch
from moderation.types import Decision, WatchState
from moderation.watch import from_json, to_json

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
    incident.save(force_insert=True)
    IncidentEvent.objects.create(incident=incident, actor="house", action="filed", at=now)
    return incident


def _masked(text: str) -> str:
    """The excerpt without phone numbers, addresses and the like."""
    return mask(text, personal_spans(text))[:EXCERPT_CHARS]


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


def incidents_expire() -> int:
    """Delete decided incidents after 30 days (R29). Number deleted."""
    deleted, _ = Incident.objects.filter(at__lt=clock.now() - timedelta(days=DAYS), state="decided").delete()
    return deleted


def person_forget(person_id: uuid.UUID) -> None:
    """Erase what is held about a person (their key is gone already)."""
    Incident.objects.filter(person_id=person_id).delete()
    PersonWatch.objects.filter(person_id=person_id).delete()
    keys.forget_cached()
