"""People who come through somebody's site: no name, no password, no way in but that site's word."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from chatbot.accounts import gate, services
from chatbot.accounts.bands import BANDS, AgeBand, Band
from chatbot.accounts.models import ConsentKind, Presence, Role, TimeLimits, UsageDay, User
from chatbot.core import clock
from chatbot.core.audit import audit_of, audit_record, audit_since

MOST_REMEMBERED = 200
MOVED = "time_zone_changed"


@dataclass(frozen=True)
class GuestDay:
    """How far a guest is in their day: what limits go by, and nothing else."""

    time_zone: str
    day: date
    seconds: int
    break_open: bool


def guest_day(person: User) -> GuestDay:
    """Today's, by the guest's own clock."""
    day = gate.local_day(person, clock.now())
    seconds = sum(UsageDay.objects.filter(person=person, day=day).values_list("seconds", flat=True))
    return GuestDay(person.time_zone, day, seconds, Presence.objects.filter(person=person, break_open=True).exists())


def guest_make(
    *, band: Band, country: str, region: str, time_zone: str, language: str, before: GuestDay | None = None
) -> User:
    """A person of that band. Nothing is remembered about them: they have no page on which to see and change it.

    before: the day of the same guest, who has just deleted themself: it goes on, by the same clock.
    """
    person = User(username=f"guest-{secrets.token_hex(8)}", role=Role.TEEN)
    person.set_unusable_password()
    services.person_place(
        person,
        age=AgeBand(band, None),
        country=country,
        region=region,
        time_zone=(before.time_zone if before else time_zone) or "UTC",
        language=language,
    )
    person.save()
    TimeLimits.objects.create(person=person, memory_off=True, set_by=Role.OPERATOR)
    if before is not None:
        _day_go_on(person, before)
    return person


def _day_go_on(person: User, before: GuestDay) -> None:
    now = clock.now()
    if before.seconds and before.day == gate.local_day(person, now):
        UsageDay.objects.create(person=person, day=before.day, seconds=before.seconds)
    if before.break_open:
        Presence.objects.create(person=person, run_from=now, last_at=now, reminded_at=now, break_open=True)


def guest_refresh(person: User, *, band: Band, country: str, region: str, language: str) -> User:
    """What the site says today. The band only ever becomes stricter by itself (R24). The guest's row, held until the
    transaction ends. Raises gate.SignedOut where it has just gone."""
    held = User.objects.select_for_update().filter(id=person.id).first()
    if held is None:
        raise gate.SignedOut
    held.band = min(band, *(known for known in BANDS if known == held.band), key=BANDS.index)
    held.country, held.region, held.language = country, region, language
    held.save(update_fields=["band", "country", "region", "language"])
    return held


def guest_move(person: User, name: str, *, host: str) -> bool:
    """The site says another time zone. False, and the clock stays, where it was moved within the last day: quiet hours
    and minutes must not be walked around. Call it with the guest's row held, and last."""
    now = clock.now()
    if name == person.time_zone or audit_since(person.id, MOVED, now - timedelta(hours=24)):
        return False
    services.clock_move(person, name, now=now)
    audit_record(actor=host, subject=person.id, action=MOVED)
    return True


def guest_older(person: User, band: Band) -> None:
    """The operator knows that somebody has grown into another band."""
    person.band, person.band_until = band, None
    person.save(update_fields=["band", "band_until"])
    audit_record(actor="operator", subject=person.id, action="band_set", detail={"band": band})


def guest_consent(person: User, *, host: str, method: str) -> bool:
    """Record the host's word that a guardian agreed. False where it is known, or where somebody else took it back."""
    given = person.consents.filter(kind=ConsentKind.CHAT)
    if given.filter(withdrawn_at=None).exists():
        return False
    last = next(
        (entry for entry in audit_of(person.id, limit=MOST_REMEMBERED) if entry.action == "consent_withdrawn"), None
    )
    if last is not None and last.actor != host:
        return False
    services.consent_give(person=person, given_by=f"{host}: {method}"[:64], method=host)
    return True


def guest_consent_end(person: User, *, host: str) -> int:
    """The host says that the consent was taken back: every one that came from it ends. Number ended."""
    given = person.consents.filter(kind=ConsentKind.CHAT, method=host, withdrawn_at=None)
    count = given.update(withdrawn_at=clock.now())
    if count:
        audit_record(actor=host, subject=person.id, action="consent_withdrawn", detail={"count": count})
    return count
