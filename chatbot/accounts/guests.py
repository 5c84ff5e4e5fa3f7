"""People who come through somebody's site: no name, no password, no way in but that site's word."""

from __future__ import annotations

import secrets

from chatbot.accounts import services
from chatbot.accounts.bands import BANDS, AgeBand, Band
from chatbot.accounts.models import ConsentKind, Role, TimeLimits, User
from chatbot.core import clock
from chatbot.core.audit import audit_of, audit_record

MOST_REMEMBERED = 200


def guest_make(*, band: Band, country: str, region: str, time_zone: str, language: str) -> User:
    """A person of that band. Nothing is remembered about them: they have no page on which to see and change it."""
    person = User(username=f"guest-{secrets.token_hex(8)}", role=Role.TEEN)
    person.set_unusable_password()
    services.person_place(
        person,
        age=AgeBand(band, None),
        country=country,
        region=region,
        time_zone=time_zone or "UTC",
        language=language,
    )
    person.save()
    TimeLimits.objects.create(person=person, memory_off=True, set_by=Role.OPERATOR)
    return person


def guest_refresh(person: User, *, band: Band, country: str, region: str, time_zone: str, language: str) -> None:
    """What the site says today. The band only ever becomes stricter by itself (R24)."""
    person.band = min(band, *(known for known in BANDS if known == person.band), key=BANDS.index)
    person.country, person.region, person.language = country, region, language
    person.time_zone = time_zone or person.time_zone
    person.save(update_fields=["band", "country", "region", "language", "time_zone"])


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
