"""What the overview tells: who I am here, which limits hold and who set them, who sees what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from chatbot.accounts import gate
from chatbot.accounts.countries import REGIONS, country_choices
from chatbot.accounts.erasure import erasure_of
from chatbot.accounts.models import ErasureReason, GuardianshipState, Role, TimeLimits, UsageDay, User
from chatbot.accounts.oversight import SeenDay

DAYS = 7
# Of the chart, in its own units: the longest bar, and a row.
BAR, ROW = 150, 26


@dataclass(frozen=True)
class Limits:
    """What holds today. `set_by` is a sentence, empty where the defaults hold. Skills by name: those that are off for
    this person (`by_guardian`: by whom), and those that are off for everybody."""

    quiet_from: time | None
    quiet_to: time | None
    minutes: int | None
    used: int
    set_by: str
    skills_off: tuple[str, ...]
    skills_off_here: tuple[str, ...]
    by_guardian: bool


@dataclass(frozen=True)
class Overview:
    """Everything on the first page about one person."""

    age_group: str
    country: str
    limits: Limits | None
    memory: str
    guardians: tuple[str, ...]
    wards: tuple[str, ...]
    closed_until: datetime | None
    guardian_deletes: datetime | None
    may_delete: bool


def overview_of(person: User, *, now: datetime) -> Overview:
    """Read it. Limits and memory are a teen's only; guardians and staff have none."""
    teen = person.role == Role.TEEN
    active = {"state": GuardianshipState.ACTIVE}
    request = erasure_of(person.id)
    return Overview(
        age_group=_age_group(person, now) if teen else "",
        country=_country(person),
        limits=_limits(person, now) if teen else None,
        memory=memory_state(person, now=now) if teen else "",
        guardians=tuple(link.guardian.username for link in person.guardianships.filter(**active)),
        wards=tuple(link.teen.username for link in person.wards.filter(**active)),
        closed_until=request.due_at if request and person.locked_at else None,
        guardian_deletes=request.due_at if request and request.reason == ErasureReason.GUARDIAN else None,
        may_delete=_may_delete(person),
    )


def _may_delete(person: User) -> bool:
    try:
        gate.may_erase(person, person.id)
    except gate.Refused:
        return False
    return True


def _age_group(person: User, now: datetime) -> str:
    return {"13-15": _("13 to 15"), "16-17": _("16 or 17")}.get(gate.band_of(person, now), _("18 or older"))


def _country(person: User) -> str:
    if not person.country:
        return ""
    name = next((str(label) for code, label in country_choices() if code == person.country), person.country)
    part = REGIONS.get(person.region)
    return f"{name}, {part}" if part else str(name)


def _limits(person: User, now: datetime) -> Limits:
    holding = gate.limits_of(person, now)
    used = UsageDay.objects.filter(person=person, day=gate.local_day(person, now)).first()
    row = TimeLimits.objects.filter(person=person).first()
    return Limits(
        quiet_from=holding.quiet_from,
        quiet_to=holding.quiet_to,
        minutes=holding.minutes,
        used=used.seconds // 60 if used else 0,
        set_by="" if row is not None and gate.outgrown(person, row, now) else _set_by(row),
        skills_off=tuple(sorted(holding.skills_off)),
        skills_off_here=tuple(sorted(settings.SKILLS_OFF)),
        by_guardian=row is not None and row.set_by == Role.GUARDIAN,
    )


def days_of(person: User, *, now: datetime) -> list[SeenDay]:
    """The person's own minutes of the last week, today's too, drawn like the chart of a parent or carer."""
    today = gate.local_day(person, now)
    days = [today - timedelta(days=back) for back in range(DAYS)]
    rows = UsageDay.objects.filter(person=person, day__gte=days[-1])
    used = {row.day: row.seconds // 60 for row in rows}
    most = max([60, *used.values()])
    return [
        SeenDay(day, used.get(day, 0), bar=round(used.get(day, 0) / most * BAR), y=ROW * row)
        for row, day in enumerate(days)
    ]


def _set_by(row: TimeLimits | None) -> str:
    if row is None or (row.quiet_from, row.quiet_to, row.minutes_a_day, row.skills_off) == (None, None, None, []):
        return ""
    if row.set_by == Role.GUARDIAN:
        return _("A parent or carer set these.")
    return _("Whoever runs this place set these for you.")


def memory_state(person: User, *, now: datetime) -> str:
    """on, paused (by the person), off (by somebody else), plain (where they live), or closed (the account is)."""
    try:
        plain = gate.may_enter(person, now=now)
    except gate.Refused:
        return "closed"
    if plain:
        return "plain"
    row = TimeLimits.objects.filter(person=person).first()
    if row is None or gate.limits_from(person, row, now).memory:
        return "on"
    return "off" if row.memory_off and not gate.outgrown(person, row, now) else "paused"
