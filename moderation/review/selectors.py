"""What the panel shows: the queue, and one incident, as summaries. The words of the person are not in here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet

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

A_PAGE = 50
FILTERS = ("open", "mine", "decided")


@dataclass(frozen=True)
class Summary:
    """One incident without its words. `holder` is who holds it now, `due` how it stands with the time.

    `more`: how many others of the same person wait, where this one stands for all of them.
    """

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
    more: int = 0


@dataclass(frozen=True)
class Queue:
    """One page of a list. `counts`: how many rows each filter has. `handle`: of whom alone it is, else empty.

    `elsewhere`: how many rows this filter has in other languages, where one was chosen.
    """

    rows: list[Summary]
    page: int
    pages: int
    counts: Mapping[str, int]
    handle: str = ""
    elsewhere: int = 0


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

    `outside`: it may have to be reported to an authority (R40). `more`: how many others of the same person wait.
    """

    summary: Summary
    history: tuple[Done, ...]
    held_until: datetime | None
    undo_until: datetime | None
    home_danger: bool
    has_words: bool
    outside: bool
    more: int


def queue(moderator: User, *, show: str, language: str = "", page: str, now: datetime) -> Queue:
    """One page of one filter: of what is open one row a person, the gravest first; of the decided the latest first.
    `language`: only of people who write in it.

    Who may not be seen is left out before it is cut into pages. A page that isn't there is the nearest that is.
    """
    everybody = _people(moderator)
    people = everybody.filter(language__iexact=language) if language else everybody
    lists = _lists(moderator, people, now)
    pages = {name: Paginator(rows, A_PAGE) for name, rows in lists.items()}
    cut = pages[show].get_page(page)
    counts = {name: one.count for name, one in pages.items()}
    elsewhere = _lists(moderator, everybody, now)[show].count() - counts[show] if language else 0
    rows = _rows(moderator, cut.object_list, now)
    return Queue(rows, cut.number, cut.paginator.num_pages, counts, elsewhere=elsewhere)


def _lists(moderator: User, people: QuerySet[Any, Any], now: datetime) -> dict[str, QuerySet[Any, Any]]:
    return {
        "open": incidents.fronts_waiting(people, now),
        "mine": incidents.incidents_claimed_by(moderator.id, people, now).values_list("id"),
        "decided": incidents.incidents_decided(people).values_list("id"),
    }


def queue_of(moderator: User, incident_id: uuid.UUID, *, page: str, now: datetime) -> Queue | None:
    """Everything that waits of the person of this incident; None where they are gone. Raises gate.Refused for own."""
    row = _seen(moderator, incident_id)
    if row is None:
        return None
    theirs = incidents.incidents_waiting(_people(moderator)).filter(person_id=row.person_id)
    cut = Paginator(theirs.values_list("id"), A_PAGE).get_page(page)
    rows = _rows(moderator, cut.object_list, now)
    return Queue(rows, cut.number, cut.paginator.num_pages, {}, words.handle_of(row.person_id))


def _rows(moderator: User, found: Iterable[tuple[Any, ...]], now: datetime) -> list[Summary]:
    """The summaries of some ids, in their order. Beside an id may stand what `fronts_waiting` gives with it."""
    beside = {one[0]: one[1:] for one in found}
    rows = _summaries(moderator, incidents.incidents_in_order(list(beside)), now)
    return [_for_all(one, *beside[one.id]) for one in rows]


def _for_all(one: Summary, more: int = 0, looks: int = 0) -> Summary:
    return replace(one, more=more, second_look=one.second_look or looks > 0)


def _summaries(moderator: User, rows: Sequence[Incident], now: datetime) -> list[Summary]:
    people = User.objects.in_bulk({row.person_id for row in rows})
    names = _names(str(row.assignee_id) for row in rows if row.assignee_id)
    return [_summary(row, people[row.person_id], moderator, names, now) for row in rows if row.person_id in people]


def _people(moderator: User) -> QuerySet[Any, Any]:
    """The ids of everybody whose incidents this moderator may see: nobody of their own, nobody who is being erased.

    DANGER: an account that was only shut (its site was taken away) stays: a call for help must not leave the queue.
    """
    asked = ErasureRequest.objects.filter(person_id=OuterRef("id"))
    seen = User.objects.exclude(id__in=_related(moderator)).exclude(Q(Exists(asked), is_active=False))
    return seen.values("id")


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


def _seen(moderator: User, incident_id: uuid.UUID) -> Incident | None:
    """The incident, if it is there and its person too. Raises gate.Refused for one's own."""
    row = incidents.incident_find(incident_id)
    if row is None:
        return None
    gate.may_review_of(moderator, row.person_id)
    return row if _people(moderator).filter(id=row.person_id).exists() else None


def is_there(moderator: User, incident_id: uuid.UUID) -> bool:
    """Whether there is such an incident, of somebody who is still here. Raises gate.Refused for one's own."""
    return _seen(moderator, incident_id) is not None


def page(moderator: User, incident_id: uuid.UUID, *, now: datetime) -> Page | None:
    """One incident, or None where there is nothing to see any more. Raises gate.Refused for one's own."""
    row = _seen(moderator, incident_id)
    found = _summaries(moderator, [row], now) if row else []
    if row is None or not found:
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
        more=incidents.incidents_waiting([row.person_id]).exclude(id=row.id).count(),
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
