"""Reads for others: the queue, a person's open incidents, and the counts for reports."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from moderation.incidents.models import CrisisCount, Incident, IncidentEvent, IncidentState

# Whose incidents are asked for: ids, or a query that has them.
People = QuerySet[Any, Any] | Collection[uuid.UUID]


def incidents_waiting(people: People | None = None) -> QuerySet[Incident]:
    """What is open or claimed, of these people or of everybody: the gravest first, then the oldest."""
    waiting = Incident.objects.exclude(state=IncidentState.DECIDED)
    theirs = waiting if people is None else waiting.filter(person_id__in=people)
    return theirs.order_by("-severity", "-level", "at", "id")


def fronts_waiting(people: People, now: datetime) -> QuerySet[Any, Any]:
    """Of each of these people the gravest that waits, as (id, how many more of theirs wait, second looks asked for).

    DANGER: one row a person, so that one who writes a lot pushes nobody out of sight. Of two that are as grave the one
    that nobody holds comes first: a claim on the older must not hide that another came in.
    """
    held = Case(When(state=IncidentState.CLAIMED, claimed_until__gt=now, then=Value(1)), default=Value(0))
    theirs = [F("person_id")]
    order = [F("severity").desc(), F("level").desc(), held.asc(), F("at").asc(), F("id").asc()]
    ranked = incidents_waiting(people).annotate(
        place=Window(RowNumber(), partition_by=theirs, order_by=order),
        more=Window(Count("id"), partition_by=theirs) - 1,
        looks=Window(Count("id", filter=Q(second_look=True)), partition_by=theirs),
    )
    return ranked.filter(place=1).values_list("id", "more", "looks")


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


def incidents_in_order(ids: Sequence[uuid.UUID]) -> list[Incident]:
    """These incidents, as they are ordered here, without those that are gone."""
    found = Incident.objects.in_bulk(ids)
    return [found[one] for one in ids if one in found]


def incidents_claimed_by(moderator_id: uuid.UUID, people: People, now: datetime) -> QuerySet[Incident]:
    """What this moderator holds, the gravest first."""
    claimed = incidents_waiting(people).filter(state=IncidentState.CLAIMED)
    return claimed.filter(assignee_id=moderator_id, claimed_until__gt=now)


def incidents_decided(people: People) -> QuerySet[Incident]:
    """What was decided, the latest first."""
    decided = Incident.objects.filter(state=IncidentState.DECIDED, person_id__in=people)
    return decided.order_by(F("decided_at").desc(nulls_last=True), "-at", "-id")


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
