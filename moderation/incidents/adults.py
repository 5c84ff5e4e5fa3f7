"""Incidents for which a linked guardian may be asked: who is told of them, and what came of it (4.9).

The layers above register the name of a job; it gets the incident's id once that is committed. A sweep of theirs finds
what was lost by `adults_waiting`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from chatbot.accounts.oversight import alerts_hold
from chatbot.core import clock
from chatbot.core.jobs import enqueue_after_commit
from moderation.crisis.adults import HelpKind, adult_wanted, help_kind
from moderation.incidents.models import Incident, IncidentEvent
from moderation.types import Decision

WANTED, TOLD, NOT_TOLD = "adult_wanted", "guardian_told", "guardian_not_told"
NOT_ASKED = "guardian_not_asked"
HELD_BACK = "guardian_held_back"
LATEST = timedelta(hours=24)

_jobs: list[str] = []


def adults_by(job: str) -> None:
    """Register the job that asks a guardian. Twice is once."""
    if job not in _jobs:
        _jobs.append(job)


def adult_want(incident: Incident, decision: Decision, *, late: bool = False) -> None:
    """Note that a guardian is to be asked, in the incident's own transaction, and have it done after the commit.

    late: answered while nothing could be kept. The teen never heard that somebody would be asked, so nobody is.
    """
    if not adult_wanted(decision):
        return
    action = NOT_ASKED if late else WANTED
    IncidentEvent.objects.create(incident=incident, actor="house", action=action, at=incident.at)
    if not late:
        for job in _jobs:
            enqueue_after_commit(job, str(incident.id))


def adult_line_stored(turn_id: uuid.UUID) -> None:
    """The line that tells the teen is stored: those whom it was about may be asked now."""
    for incident_id in Incident.objects.filter(turn_id=turn_id, events__action=WANTED).values_list("id", flat=True):
        for job in _jobs:
            enqueue_after_commit(job, str(incident_id))


@dataclass(frozen=True)
class Wanted:
    """What the one who asks needs to know. No word of the chat, and no more of the category than the kind of help."""

    id: uuid.UUID
    person_id: uuid.UUID
    turn_id: uuid.UUID | None
    kind: HelpKind
    at: datetime


def adult_wanted_by(incident_id: uuid.UUID) -> Wanted | None:
    """The incident, if a guardian is to be asked and was not yet."""
    row = Incident.objects.filter(id=incident_id, events__action=WANTED).first()
    if row is None or row.events.filter(action__in=(TOLD, NOT_TOLD)).exists():
        return None
    kind = help_kind(row.categories, row.severity, row.level or None)
    return None if kind is None else Wanted(row.id, row.person_id, row.turn_id, kind, row.at)


def adults_waiting(*, older_than: timedelta) -> list[uuid.UUID]:
    """Incidents of the last day for which nobody was asked yet."""
    now = clock.now()
    rows = Incident.objects.filter(events__action=WANTED, at__gt=now - LATEST, at__lte=now - older_than)
    done = IncidentEvent.objects.filter(action__in=(TOLD, NOT_TOLD)).values("incident_id")
    return list(rows.exclude(id__in=done).order_by("at").values_list("id", flat=True))


def adult_done(incident_id: uuid.UUID, *, told: bool) -> None:
    """Keep what came of it, once: staff read it beside the incident."""
    with transaction.atomic():
        rows = IncidentEvent.objects.filter(incident_id=incident_id)
        if not rows.filter(action__in=(TOLD, NOT_TOLD)).exists() and Incident.objects.filter(id=incident_id).exists():
            action = TOLD if told else NOT_TOLD
            IncidentEvent.objects.create(incident_id=incident_id, actor="house", action=action, at=clock.now())


def adult_told_after_all(incident_id: uuid.UUID) -> None:
    """It was held back too late: a mail was under way. Staff read that too."""
    _note([incident_id], TOLD)


def adults_hold(person_id: uuid.UUID) -> None:
    """Home is the danger from now on: what no guardian was told yet is held back, and staff read beside each incident
    that it was."""
    _note(alerts_hold(person_id), HELD_BACK)


def _note(incident_ids: Iterable[uuid.UUID], action: str) -> None:
    now = clock.now()
    for incident in Incident.objects.filter(id__in=incident_ids).only("id"):
        IncidentEvent.objects.create(incident=incident, actor="house", action=action, at=now)
