"""Reads for others: the queue, a person's open incidents, and the counts for reports."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from moderation.incidents.models import CrisisCount, Incident, IncidentEvent, IncidentState


def incidents_waiting(*, limit: int = 100) -> Sequence[Incident]:
    """What is open or claimed, the gravest first, then the oldest."""
    waiting = Incident.objects.exclude(state=IncidentState.DECIDED)
    return list(waiting.order_by("-severity", "-level", "at")[:limit])


def incidents_overdue(now: datetime) -> Sequence[Incident]:
    """Open incidents that nobody claimed in time."""
    return list(Incident.objects.filter(state=IncidentState.OPEN, sla_due__lt=now).order_by("sla_due"))


def incident_open_for(person_id: uuid.UUID) -> bool:
    """Is something about this person not decided yet? (A guardian's request to delete waits for it.)"""
    return Incident.objects.filter(person_id=person_id).exclude(state=IncidentState.DECIDED).exists()


def incident_events(incident_id: uuid.UUID) -> Sequence[IncidentEvent]:
    """What was done with an incident, in order."""
    return list(IncidentEvent.objects.filter(incident_id=incident_id).select_related("incident"))


def incident_find(incident_id: uuid.UUID) -> Incident | None:
    """One incident, or None where it is gone: its person was erased, or its days are over."""
    return Incident.objects.filter(id=incident_id).first()


def incidents_claimed_by(moderator_id: uuid.UUID, now: datetime) -> Sequence[Incident]:
    """What this moderator holds, the gravest first."""
    claimed = Incident.objects.filter(state=IncidentState.CLAIMED, assignee_id=moderator_id, claimed_until__gt=now)
    return list(claimed.order_by("-severity", "-level", "at"))


def incidents_decided(*, limit: int = 100) -> Sequence[Incident]:
    """What was decided, the latest first."""
    decided = Incident.objects.filter(state=IncidentState.DECIDED)
    return list(decided.order_by(F("decided_at").desc(nulls_last=True), "-at")[:limit])


def incidents_counted(moderator_id: uuid.UUID, now: datetime) -> dict[str, int]:
    """How many are open (claimed ones too), held by this moderator, and decided."""
    decided = Incident.objects.filter(state=IncidentState.DECIDED).count()
    waiting = Incident.objects.exclude(state=IncidentState.DECIDED).count()
    return {"open": waiting, "mine": len(incidents_claimed_by(moderator_id, now)), "decided": decided}


def referrals_of_year(year: int) -> Sequence[CrisisCount]:
    """The counters of a year (R11-R13): region, month, category, band, count."""
    return list(CrisisCount.objects.filter(month__startswith=f"{year:04d}-").order_by("month", "region", "category"))


@dataclass(frozen=True)
class Filed:
    """What is held of one flagged thing, for the person it is about: no level, no severity (4.2)."""

    at: datetime
    kind: str
    reason: str
    state: str
    excerpt: str


def filed_about(person_id: uuid.UUID) -> list[Filed]:
    """Everything flagged of this person, and what they reported, oldest first: for their own copy of it."""
    rows = Incident.objects.filter(person_id=person_id).order_by("at")
    return [Filed(row.at, row.kind, row.reason, row.state, row.excerpt or "") for row in rows]
