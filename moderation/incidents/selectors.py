"""Reads for others: the queue, a person's open incidents, and the counts for reports."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from moderation.incidents.models import CrisisCount, Incident, IncidentEvent, IncidentState


def incidents_waiting(*, limit: int = 100) -> Sequence[Incident]:
    """What is open or claimed, the gravest first, then the oldest."""
    waiting = Incident.objects.exclude(state=IncidentState.DECIDED)
    return list(waiting.order_by("-severity", "at")[:limit])


def incidents_overdue(now: datetime) -> Sequence[Incident]:
    """Open incidents that nobody claimed in time."""
    return list(Incident.objects.filter(state=IncidentState.OPEN, sla_due__lt=now).order_by("sla_due"))


def incident_open_for(person_id: uuid.UUID) -> bool:
    """Is something about this person not decided yet? (A guardian's request to delete waits for it.)"""
    return Incident.objects.filter(person_id=person_id).exclude(state=IncidentState.DECIDED).exists()


def incident_events(incident_id: uuid.UUID) -> Sequence[IncidentEvent]:
    """What was done with an incident, in order."""
    return list(IncidentEvent.objects.filter(incident_id=incident_id))


def referrals_of_year(year: int) -> Sequence[CrisisCount]:
    """The counters of a year (R11-R13): region, month, category, band, count."""
    return list(CrisisCount.objects.filter(month__startswith=f"{year:04d}-").order_by("month", "region", "category"))
