"""Everything, and only what, a guardian sees about one teen. The guardian's page and the teen's own mirror show this.

DANGER: nothing in here may depend on what was said, or on whether home is held to be unsafe (4.9): the page looks the
same with and without it. So it reads no watch, no incident and no message. Minutes are told for days that are over,
in steps of five, and the time of a crisis was never counted (docs/decisions/0008).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from chatbot.accounts import gate, guardianship
from chatbot.accounts.models import (
    AlertKind,
    ErasureReason,
    ErasureRequest,
    GuardianAlert,
    Guardianship,
    GuardianshipState,
    Role,
    TimeLimits,
    UsageDay,
    User,
)
from chatbot.core import clock
from chatbot.core.audit import audit_record

DAYS = 14
STEP = 5
ALERTS_SHOWN = timedelta(days=30)
_BAR = 150


@dataclass(frozen=True)
class SeenDay:
    """Minutes of a day that is over, and how the chart draws them."""

    day: date
    minutes: int
    bar: int
    y: int

    @property
    def text_y(self) -> int:
        return self.y + 17

    @property
    def text_x(self) -> int:
        return 100 + self.bar + (8 if self.bar else 0)


@dataclass(frozen=True)
class SeenLimits:
    """What holds now; `yours`: a guardian set it. Skills by name: off for this teen, and off for everybody here."""

    quiet_from: time | None
    quiet_to: time | None
    minutes: int | None
    memory: bool
    time_zone: str
    yours: bool
    skills_off: tuple[str, ...] = ()
    skills_off_here: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenAlert:
    """That the guardian was asked to look after the teen: which kind of help, when, and whether they have seen it."""

    id: uuid.UUID
    kind: str
    at: datetime
    seen_at: datetime | None


@dataclass(frozen=True)
class GuardianView:
    """One teen, as their guardian sees them."""

    teen: str
    teen_id: uuid.UUID
    link_id: uuid.UUID
    since: datetime
    zone: ZoneInfo
    country: str
    consent: bool
    another_no: bool
    limits: SeenLimits
    days: tuple[SeenDay, ...]
    alerts: tuple[SeenAlert, ...]
    end_asked_at: datetime | None
    erasure_due: datetime | None

    @property
    def chat_open(self) -> bool:
        """By everybody's yes. One that another guardian took back closes it as well."""
        return self.consent and not self.another_no

    @property
    def chart_height(self) -> int:
        return 26 * len(self.days)


def seen_by_guardian(link: Guardianship, *, now: datetime, waiting: bool = True) -> GuardianView:
    """What is shown by this link. For an active one: `gate.may_oversee` gives it.

    waiting: alerts too that the guardian was not told of yet, as their page would show them if it were opened now.
    """
    teen = link.teen
    zone = gate.zone_of(teen)
    return GuardianView(
        teen=teen.username,
        teen_id=teen.id,
        link_id=link.id,
        since=link.since,
        zone=zone,
        country=teen.country,
        consent=link.withdrawn_at is None,
        another_no=guardianship.another_no(link),
        limits=_limits(teen, now),
        days=_days(link, now),
        alerts=_alerts(link, now, waiting=waiting),
        end_asked_at=link.end_asked_at,
        erasure_due=_erasure_due(link),
    )


def _limits(teen: User, now: datetime) -> SeenLimits:
    holding = gate.limits_of(teen, now)
    row = TimeLimits.objects.filter(person=teen).first()
    quiet = holding.quiet_from != holding.quiet_to
    return SeenLimits(
        quiet_from=holding.quiet_from if quiet else None,
        quiet_to=holding.quiet_to if quiet else None,
        minutes=holding.minutes,
        # The teen's own pause is the teen's: only what others switched off is told.
        memory=row is None or not row.memory_off,
        time_zone=teen.time_zone,
        yours=row is not None and row.set_by == Role.GUARDIAN,
        skills_off=tuple(sorted(holding.skills_off)),
        skills_off_here=tuple(sorted(settings.SKILLS_OFF)),
    )


def _days(link: Guardianship, now: datetime) -> tuple[SeenDay, ...]:
    """The last days that are over, since the link began; the latest first."""
    today = gate.local_day(link.teen, now)
    first = max(today - timedelta(days=DAYS), gate.local_day(link.teen, link.since))
    rows = UsageDay.objects.filter(person=link.teen, day__gte=first, day__lt=today)
    used = {row.day: -(-row.seconds // (60 * STEP)) * STEP for row in rows}
    days = [today - timedelta(days=back) for back in range(1, (today - first).days + 1)]
    most = max([60, *used.values()])
    return tuple(
        SeenDay(day, used.get(day, 0), bar=round(used.get(day, 0) / most * _BAR), y=26 * row)
        for row, day in enumerate(days)
    )


def _alerts(link: Guardianship, now: datetime, *, waiting: bool) -> tuple[SeenAlert, ...]:
    rows = link.alerts.filter(held=False, at__gte=max(link.since, now - ALERTS_SHOWN)).order_by("-at")
    if not waiting:
        rows = rows.exclude(seen_at=None, mailed_at=None)
    return tuple(SeenAlert(row.id, row.kind, row.at, row.seen_at) for row in rows)


def _erasure_due(link: Guardianship) -> datetime | None:
    """When the teen's data would go, where a guardian asked for that (R30)."""
    asked = ErasureRequest.objects.filter(person_id=link.teen_id, reason=ErasureReason.GUARDIAN, erased_at=None)
    return asked.values_list("due_at", flat=True).first()


def alerts_unseen(guardian: User) -> int:
    """How many alerts wait for this guardian."""
    links = guardian.wards.filter(state=GuardianshipState.ACTIVE)
    return sum(link.alerts.filter(held=False, seen_at=None).count() for link in links)


def shown_to_guardian(link: Guardianship, *, now: datetime) -> GuardianView:
    """What the guardian's own page shows, and they are told of it by that, as by a mail.

    DANGER: noted before it is shown, and nothing is shown that was not noted. What they have read can't be held back
    any more: that it was gone would tell them why (4.9).
    """
    _told(link.alerts.filter(held=False), link.teen_id, now)
    return seen_by_guardian(link, now=now, waiting=False)


def alert_mailed(alert: GuardianAlert, *, now: datetime) -> None:
    """The mail about it has gone out."""
    _told(GuardianAlert.objects.filter(id=alert.id, held=False), alert.link.teen_id, now)


def _told(alerts: QuerySet[GuardianAlert], teen_id: uuid.UUID, now: datetime) -> None:
    """The guardian knows of these from now on, and the teen reads that they do."""
    waiting = alerts.filter(mailed_at=None)
    if not waiting.exists():
        return
    with transaction.atomic():
        rows = _locked(waiting)
        GuardianAlert.objects.filter(id__in=[row.id for row in rows]).update(mailed_at=now)
        for _ in rows:
            # DANGER: only what the guardian sees too is told here: a person's page is read over their shoulder (4.9).
            audit_record(actor="house", subject=teen_id, action="guardian_alerted")


def _locked(alerts: QuerySet[GuardianAlert]) -> list[GuardianAlert]:
    """Nobody else changes these until the transaction ends. In one order, so that no two wait for each other."""
    return list(alerts.select_for_update().order_by("id"))


def alerts_hold(teen_id: uuid.UUID) -> set[uuid.UUID]:
    """Home may be the danger: what no guardian of this teen was told yet is held back. The incidents it was about."""
    links = Guardianship.objects.filter(teen_id=teen_id)
    with transaction.atomic():
        rows = _locked(GuardianAlert.objects.filter(link__in=links, held=False, seen_at=None, mailed_at=None))
        GuardianAlert.objects.filter(id__in=[row.id for row in rows]).update(held=True)
    return {row.incident_id for row in rows}


def alert_unhold(alert: GuardianAlert) -> bool:
    """What a mail has spoken of stands on the page, though it was held back while the mail was under way: that there
    was nothing would tell them why (4.9). True where it was."""
    return GuardianAlert.objects.filter(id=alert.id, held=True, mailed_at=None).update(held=False) == 1


def alert_see(guardian: User, alert_id: uuid.UUID) -> uuid.UUID:
    """The guardian has seen it; the teen it is about. Raises gate.NotLinked for somebody else's."""
    now = clock.now()
    for link in guardian.wards.filter(state=GuardianshipState.ACTIVE):
        rows = link.alerts.filter(id=alert_id, held=False)
        if rows.exists():
            gate.may_oversee(guardian, link.teen_id, now=now)
            rows.filter(seen_at=None).update(seen_at=now)
            return link.teen_id
    raise gate.NotLinked


def alert_file(link: Guardianship, *, incident_id: uuid.UUID, kind: AlertKind, held: bool, at: datetime) -> bool:
    """Ask this guardian to look after their teen, once an incident. True when it is new and theirs to see.

    held: home may be the danger, so nobody there is told; what they were not told yet is held back too.
    """
    if held:
        alerts_hold(link.teen_id)
    _, made = link.alerts.get_or_create(incident_id=incident_id, defaults={"kind": kind, "held": held, "at": at})
    return made and not held
