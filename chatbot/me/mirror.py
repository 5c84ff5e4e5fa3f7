"""What a parent or carer sees, read where their own page reads it: for the teen's mirror, and for a guardian's copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatbot.accounts import gate
from chatbot.accounts.guardianship import links_of, requests_by, requests_for
from chatbot.accounts.models import GuardianAlert, Guardianship, User
from chatbot.accounts.oversight import GuardianView, seen_by_guardian


@dataclass(frozen=True)
class Mirror:
    """One link as the teen sees it: whose it is, what is shown to them, and whether the teen ends it alone."""

    guardian: str
    link: Guardianship
    seen: GuardianView
    ends_alone: bool


@dataclass(frozen=True)
class SentAlert:
    """That a guardian was asked to look after the teen. What was held back from them, or waits, was not sent."""

    at: datetime
    to: str
    seen_at: datetime | None


def mirrors_of(teen: User, *, now: datetime) -> list[Mirror]:
    """Every link that shows anything, with exactly what it shows (R31)."""
    return [
        Mirror(
            guardian=link.guardian.username,
            link=link,
            seen=seen_by_guardian(link, now=now),
            ends_alone=gate.may_end(teen, link, now=now),
        )
        for link in links_of(teen)
        if _shows(link, now)
    ]


def _shows(link: Guardianship, now: datetime) -> bool:
    """Whether the guardian's own page would open."""
    try:
        gate.may_oversee(link.guardian, link.teen_id, now=now)
    except gate.Refused:
        return False
    return True


def asked_of(teen: User) -> list[Guardianship]:
    """Requests that wait for the teen's yes or no."""
    return requests_for(teen)


def asked_by(teen: User) -> list[Guardianship]:
    """Requests of the teen's own that nobody has answered yet."""
    return requests_by(teen)


def teens_seen(guardian: User, *, now: datetime) -> list[GuardianView]:
    """What this guardian's own pages have shown, of every teen they are linked to.

    DANGER: a copy tells nobody anything new. It is kept, and what waits to be told may be held back yet (4.9).
    """
    links = (link for link in links_of(guardian) if _shows(link, now))
    return [seen_by_guardian(link, now=now, waiting=False) for link in links]


def alerts_about(teen: User) -> list[SentAlert]:
    """Alerts that went out about the teen, oldest first."""
    told = GuardianAlert.objects.filter(link__teen=teen, held=False).exclude(seen_at=None, mailed_at=None)
    rows = told.select_related("link__guardian").order_by("at")
    return [SentAlert(row.at, row.link.guardian.username, row.seen_at) for row in rows]
