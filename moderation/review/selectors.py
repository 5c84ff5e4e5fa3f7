"""What the panel shows: the queue, and one incident, as summaries. The words of the person are not in here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q

from chatbot.accounts import gate
from chatbot.accounts.bands import Band
from chatbot.accounts.models import ErasureRequest, Guardianship, User
from chatbot.core.crypto import CryptoError
from moderation.incidents import selectors as incidents
from moderation.incidents.outcomes import OUTCOMES
from moderation.incidents.services import UNDO, watch_load
from moderation.review import words

if TYPE_CHECKING:
    from moderation.incidents.models import Incident, IncidentEvent

SHOWN = 100
FILTERS = ("open", "mine", "decided")


@dataclass(frozen=True)
class Summary:
    """One incident without its words. `holder` is who holds it now, `due` how it stands with the time."""

    id: uuid.UUID
    handle: str
    band: Band
    language: str
    language_name: str
    severity: int
    severity_word: str
    kind: str
    level: str
    about: tuple[str, ...]
    at: datetime
    due: str
    late: bool
    state: str
    holder: str
    mine: bool
    second_look: bool
    outcome: str


@dataclass(frozen=True)
class Done:
    """One line of an incident's history."""

    at: datetime
    who: str
    what: str
    note: str


@dataclass(frozen=True)
class Page:
    """One incident as its page shows it. `undo_until`: until when this moderator may take their decision back.

    `outside`: it may have to be reported to an authority (R40).
    """

    summary: Summary
    history: tuple[Done, ...]
    held_until: datetime | None
    undo_until: datetime | None
    home_danger: bool
    has_words: bool
    outside: bool


def queue(moderator: User, *, show: str, now: datetime) -> list[Summary]:
    """The incidents of one filter, the gravest first, then the oldest; of the decided the latest first."""
    rows = {
        "mine": lambda: incidents.incidents_claimed_by(moderator.id, now),
        "decided": lambda: incidents.incidents_decided(limit=SHOWN),
    }.get(show, lambda: incidents.incidents_waiting(limit=SHOWN))()
    return _summaries(moderator, rows, now)


def _summaries(moderator: User, rows: Sequence[Incident], now: datetime) -> list[Summary]:
    people = User.objects.in_bulk({row.person_id for row in rows})
    names = _names(str(row.assignee_id) for row in rows if row.assignee_id)
    theirs, gone = _related(moderator), _gone(people)
    found: list[Summary] = []
    for row in rows:
        person = people.get(row.person_id)
        if person is not None and row.person_id not in gone and row.person_id not in theirs:
            found.append(_summary(row, person, moderator, names, now))
    return found


def _gone(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Somebody who is being erased is gone from here before the rows are. DANGER: an account that was only shut (its
    site was taken away) is not: a call for help must not leave the queue with it."""
    closed = User.objects.filter(id__in=ids, is_active=False)
    asked = ErasureRequest.objects.filter(person_id__in=closed.values("id"))
    return set(asked.values_list("person_id", flat=True))


def _related(moderator: User) -> set[uuid.UUID]:
    links = Guardianship.objects.filter(Q(guardian=moderator) | Q(teen=moderator))
    return {moderator.id, *(person for link in links.values_list("teen_id", "guardian_id") for person in link)}


def _names(ids: Iterable[str]) -> dict[str, str]:
    found = User.objects.filter(id__in={one for one in ids if one != "house"}).values_list("id", "username")
    return {str(user_id): name for user_id, name in found}


def _summary(row: Incident, person: User, moderator: User, names: dict[str, str], now: datetime) -> Summary:
    due, late = words.due(row.sla_due, now)
    holder = row.holder(now)
    decided = row.state == "decided"
    return Summary(
        id=row.id,
        handle=words.handle_of(row.person_id),
        band=gate.band_of(person, now),
        language=person.language,
        language_name=str(dict(settings.LANGUAGES).get(person.language.lower(), person.language)),
        severity=row.severity,
        severity_word=str(words.SEVERITIES.get(row.severity, words.SEVERITIES[1])),
        kind=str(words.KINDS.get(row.kind, row.kind)),
        level=str(words.LEVELS.get(row.level, "")),
        about=_about(row),
        at=row.at,
        due="" if decided else due,
        late=late and not decided,
        state="decided" if decided else "claimed" if holder else "open",
        holder=names.get(str(row.assignee_id), "") if holder or decided else "",
        mine=holder == moderator.id,
        second_look=row.second_look and not decided,
        outcome=str(OUTCOMES.get(row.outcome, "")) if decided else "",
    )


def _about(row: Incident) -> tuple[str, ...]:
    named = [str(words.CATEGORIES[one]) for one in row.categories if one in words.CATEGORIES]
    if row.kind == "report" and row.reason in words.REPORTED:
        named.append(str(words.REPORTED[row.reason]))
    return tuple(named)


def is_there(moderator: User, incident_id: uuid.UUID) -> bool:
    """Whether there is such an incident, of somebody who is still here. Raises gate.Refused for one's own."""
    row = incidents.incident_find(incident_id)
    if row is None:
        return False
    gate.may_review_of(moderator, row.person_id)
    return User.objects.filter(id=row.person_id).exists() and not _gone([row.person_id])


def page(moderator: User, incident_id: uuid.UUID, *, now: datetime) -> Page | None:
    """One incident, or None where there is nothing to see any more. Raises gate.Refused for one's own."""
    row = incidents.incident_find(incident_id)
    if row is None:
        return None
    gate.may_review_of(moderator, row.person_id)
    found = _summaries(moderator, [row], now)
    if not found:
        return None
    mine = row.state == "decided" and row.assignee_id == moderator.id and row.answered_at is None
    undo_until = row.decided_at + UNDO if mine and row.decided_at else None
    return Page(
        summary=found[0],
        history=_history(incidents.incident_events(row.id)),
        held_until=row.claimed_until if row.holder(now) else None,
        undo_until=undo_until if undo_until and undo_until > now else None,
        home_danger=_home_danger(row.person_id),
        has_words=row.has_excerpt,
        outside=not words.OUTSIDE.isdisjoint(row.categories),
    )


def _history(events: Sequence[IncidentEvent]) -> tuple[Done, ...]:
    names = _names(event.actor for event in events)
    return tuple(
        Done(
            at=event.at,
            who=names.get(event.actor, ""),
            what=str(words.DONE.get(event.action) or OUTCOMES.get(event.action, event.action)),
            note=_note(event),
        )
        for event in events
    )


def _note(event: IncidentEvent) -> str:
    try:
        return event.note or ""
    except CryptoError:
        return ""


def _home_danger(person_id: uuid.UUID) -> bool:
    """Whether home was named as the danger. What can't be read is not read as 'home is safe'."""
    try:
        return watch_load(person_id).home_danger
    except CryptoError:
        return True
