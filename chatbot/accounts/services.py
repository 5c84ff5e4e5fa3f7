"""Everything that changes a person's rows."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, time, timedelta
from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q

from chatbot.accounts import bands, gate
from chatbot.accounts.devices import devices_end
from chatbot.accounts.models import (
    Consent,
    ConsentKind,
    Guardianship,
    GuardianshipState,
    Presence,
    RecoveryLink,
    Role,
    TimeLimits,
    UsageDay,
    User,
)
from chatbot.core import clock
from chatbot.core.audit import audit_record, audit_since
from chatbot.core.text import text_clean

CONSENT_VERSION = "2026-11"
RECOVERY_HOURS = 24
IDLE = timedelta(minutes=30)
# What two messages at once, or the clocks of two machines, may be apart.
APART = timedelta(seconds=5)
WORDS = 64  # as wide as the columns of a consent
# No 0, O, 1, I or L: the code is copied by hand.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class TooSoon(Exception):
    """Done already within the last day."""


class RecoveryFailed(Exception):
    """The code or the link is wrong, used, or too old. Says no more than that."""


def person_place(person: User, *, age: bands.AgeBand, country: str, region: str, time_zone: str, language: str) -> User:
    """Put what the age screen and the sign-up left on the person. The birth month itself is not handed in."""
    person.role, person.band, person.band_until = Role.TEEN, age.band, age.until
    person.country, person.region = country, region
    person.time_zone, person.language = time_zone, language
    return person


def recovery_code_make(person: User) -> str:
    """A new recovery code, shown once; only its hash is kept. 4 groups of 4, about 79 bits."""
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    person.recovery_digest = make_password(code)
    person.save(update_fields=["recovery_digest"])
    audit_record(actor="self", subject=person.id, action="recovery_code_made")
    return code


def password_recover(*, username: str, code: str, password: str) -> tuple[User, str]:
    """Set a new password by the recovery code. Returns the person and a fresh code. Raises RecoveryFailed."""
    person = User.objects.filter(username__iexact=_name(username), is_active=True).first()
    given = code.strip().upper()
    # DANGER: one hash is computed for unknown names too, so that time does not tell which names exist.
    nobody = _nobody_digest()
    right = check_password(given, (person.recovery_digest if person else "") or nobody)
    if person is None or not person.recovery_digest or not right:
        raise RecoveryFailed
    with transaction.atomic():
        # Counted: of two who give the same code at once, one gets in.
        if not User.objects.filter(id=person.id, recovery_digest=person.recovery_digest).update(recovery_digest=""):
            raise RecoveryFailed
        return person, _password_set(person, password, how="recovery_code")


def _name(username: str) -> str:
    return text_clean(username).strip()


def recovery_name_digest(username: str) -> str:
    """The same for every way to write a name, whether anybody has it or not: tries are counted by it."""
    return _digest(_name(username).casefold())


@cache
def _nobody_digest() -> str:
    """What a code is compared with where there is none to compare with. Made once, since making costs a hash too."""
    return make_password(secrets.token_urlsafe(16))


def recovery_link_make(person: User, *, reason: str) -> str:
    """A one-use secret for somebody who forgot their password and their code. Audited, and shown to its owner."""
    gate.may_recover(person)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        RecoveryLink.objects.create(
            person=person, digest=_digest(secret), expires_at=clock.now() + timedelta(hours=RECOVERY_HOURS)
        )
        audit_record(actor="operator", subject=person.id, action="recovery_link_made", detail={"reason": reason})
    return secret


def recovery_link_use(*, secret: str, password: str) -> tuple[User, str]:
    """Set a new password by a one-use link. Raises RecoveryFailed. A fresh recovery code comes back."""
    with transaction.atomic():
        links = RecoveryLink.objects.filter(digest=_digest(secret), used_at=None, expires_at__gt=clock.now())
        link = links.select_related("person").first()
        if link is None or links.update(used_at=clock.now()) != 1:
            raise RecoveryFailed
        return link.person, _password_set(link.person, password, how="recovery_link")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def _password_set(person: User, password: str, *, how: str) -> str:
    person.set_password(password)
    person.save(update_fields=["password"])
    sessions_end(person)
    audit_record(actor="self", subject=person.id, action="password_recovered", detail={"how": how})
    return recovery_code_make(person)


def sessions_end(person: User, *, but: str | None = None) -> int:
    """Sign the person out everywhere (but here, when `but` names this session). Number of sessions ended."""
    return devices_end(person.id, but=but)


def deal_confirm(person: User) -> None:
    """The person has read the deal and said yes."""
    if person.deal_confirmed_at is None:
        person.deal_confirmed_at = clock.now()
        person.save(update_fields=["deal_confirmed_at"])


def consent_give(*, person: User, given_by: str, method: str, link: Guardianship | None = None) -> Consent:
    """Record that somebody who may, agreed to this person's chatting (R21). link: a guardian did, by their account."""
    method, given_by = text_clean(method)[:WORDS], text_clean(given_by)[:WORDS]
    with transaction.atomic():
        consent = Consent.objects.create(
            person=person,
            kind=ConsentKind.CHAT,
            version=CONSENT_VERSION,
            method=method,
            given_by=given_by,
            link=link,
            at=clock.now(),
        )
        actor = given_by if link is None else "guardian"
        audit_record(actor=actor, subject=person.id, action="consent_given", detail={"method": method})
    return consent


def consent_withdraw(*, person: User, by: str, link: Guardianship | None = None) -> int:
    """Withdraw every consent to chatting, in one step. Number withdrawn. link: it is one guardian's no, and another's
    yes stays theirs; while the link lasts the chat is closed all the same."""
    given = person.consents.filter(kind=ConsentKind.CHAT, withdrawn_at=None)
    if link is not None:
        given = given.filter(Q(link=link) | Q(link=None))
    with transaction.atomic():
        count = given.update(withdrawn_at=clock.now())
        audit_record(actor=by, subject=person.id, action="consent_withdrawn", detail={"count": count})
    return count


def guardianship_start(*, teen: User, guardian: User) -> Guardianship:
    """Link a guardian and a teen (the operator's command and the demo; the panel with its codes comes on top)."""
    if guardian.role != Role.GUARDIAN or teen.role != Role.TEEN:
        raise gate.Refused
    fresh = {"state": GuardianshipState.ACTIVE, "since": clock.now(), "waits_for": "", "ended_by": ""}
    empty = dict.fromkeys(("withdrawn_at", "end_asked_at", "ended_at"))
    link, _ = Guardianship.objects.update_or_create(teen=teen, guardian=guardian, defaults={**fresh, **empty})
    audit_record(actor="operator", subject=teen.id, action="guardian_linked")
    return link


def person_lock(person: User, *, reason: str) -> None:
    """Close an account (R19): nothing is deleted here, chat stops, help stays."""
    if person.locked_at is None:
        person.locked_at = clock.now()
        person.save(update_fields=["locked_at"])
        audit_record(actor="house", subject=person.id, action="account_locked", detail={"reason": reason})


def usage_record(person: User, *, now: datetime, seen: Presence | None = None) -> bool:
    """Count a turn: time since the last one (at most the idle gap), and the run of continuous use.

    True when the break reminder falls due with this turn; the chat then waits for the person's tap (R6). `seen`: the
    row as it was read just before, if it was.
    """
    with transaction.atomic():
        due = None if seen is None else _run_on(person, seen, now)
        if due is None:  # there is no row, or it is another by now: once locked it stays as it is read
            rows = Presence.objects.select_for_update()
            held, _ = rows.get_or_create(person=person, defaults={"run_from": now, "last_at": now})
            due = _run_on(person, held, now)
    return bool(due)


def _run_on(person: User, seen: Presence, now: datetime) -> bool | None:
    """The row one turn later: whether the break falls due. None, and nothing changed, if it is not as it was seen.

    Counted: two tabs at once must neither count the same minutes twice nor undo a break that just fell due.
    """
    now = max(now, seen.last_at) if seen.last_at - now <= APART else now
    gap = now - seen.last_at
    run_from, reminded_at, seconds = seen.run_from, seen.reminded_at, round(gap.total_seconds())
    if gap > IDLE or gap < timedelta(0):
        run_from, reminded_at, seconds = now, None, 0
    due = now - (reminded_at or run_from) >= gate.break_after(person, now) and not _has_no_limits(person)
    if due:
        reminded_at = now
    as_seen = Presence.objects.filter(
        person=person, run_from=seen.run_from, last_at=seen.last_at, reminded_at=seen.reminded_at,
        break_open=seen.break_open,
    )  # fmt: skip
    open_now = seen.break_open or due
    if as_seen.update(run_from=run_from, last_at=now, reminded_at=reminded_at, break_open=open_now) != 1:
        return None
    _usage_add(person, day=gate.local_day(person, now), seconds=seconds)
    return due


def usage_pause(person: User, *, now: datetime) -> None:
    """A turn in a crisis: the time since the last one is neither counted nor part of the run of continuous use."""
    with transaction.atomic():  # locked, as in usage_record
        presence = Presence.objects.select_for_update().filter(person=person).first()
        if presence is None or now < presence.last_at:
            return
        gap = now - presence.last_at
        presence.run_from, presence.last_at = presence.run_from + gap, now
        if presence.reminded_at is not None:
            presence.reminded_at += gap
        presence.save()


def break_look(person: User, *, now: datetime) -> bool:
    """Whether the break falls due just now, between two turns of continuous use; the chat then waits for the tap."""
    presence = Presence.objects.filter(person=person, break_open=False).first()
    if presence is None or not timedelta(0) <= now - presence.last_at <= IDLE or _has_no_limits(person):
        return False
    since = presence.reminded_at or presence.run_from
    if now - since < gate.break_after(person, now):
        return False
    # Counted: of two open sockets one opens the lock, and an answer that came in between is not taken back.
    due = Presence.objects.filter(person=person, break_open=False, last_at=presence.last_at)
    return due.update(reminded_at=now, break_open=True) == 1


def _has_no_limits(person: User) -> bool:
    """Only the terminal's throw-away person can be without limits, and so without breaks."""
    return person.throw_away and TimeLimits.objects.filter(person=person, minutes_a_day=24 * 60).exists()


def _usage_add(person: User, *, day: date, seconds: int, turns: int = 1) -> None:
    rows = UsageDay.objects.filter(person=person, day=day)
    added = {"seconds": F("seconds") + seconds, "turns": F("turns") + turns}
    if not rows.update(**added):
        UsageDay.objects.get_or_create(person=person, day=day)
        rows.update(**added)


def break_acknowledge(person: User) -> bool:
    """The person tapped the break away. False when none was open."""
    return Presence.objects.filter(person=person, break_open=True).update(break_open=False, run_from=clock.now()) == 1


def person_make_throw_away(*, age: bands.AgeBand, country: str, region: str, language: str) -> User:
    """A person for the terminal's `--fresh`: the deal confirmed, consent given, no limits, in a temporary database."""
    person = User(username=f"fresh-{secrets.token_hex(6)}", throw_away=True)
    person.set_unusable_password()
    person_place(person, age=age, country=country, region=region, time_zone="UTC", language=language)
    person.deal_confirmed_at = clock.now()
    person.save()
    consent_give(person=person, given_by="operator", method="terminal")
    guardian = User(username=f"guardian-{secrets.token_hex(6)}", role=Role.GUARDIAN, throw_away=True)
    guardian.set_unusable_password()
    guardian.save()
    guardianship_start(teen=person, guardian=guardian)
    return person


def limits_lift(person: User) -> None:
    """No quiet hours and no daily limit, for a throw-away person of the terminal."""
    if not person.throw_away:
        raise gate.Refused
    noon = time(12)
    TimeLimits.objects.update_or_create(
        person=person, defaults={"quiet_from": noon, "quiet_to": noon, "minutes_a_day": 24 * 60}
    )


def person_language(person: User) -> None:
    """Keep the language that the person chose."""
    person.save(update_fields=["language"])


def time_zone_set(person: User, name: str) -> None:
    """Move the person's clock. Raises TooSoon, gate.ClockHeld: quiet hours must not be walked around by moving house
    every evening, nor at all past a guardian who set them."""
    if name == person.time_zone:
        return
    now = clock.now()
    gate.may_move_clock(person, now=now)
    with transaction.atomic():
        User.objects.select_for_update().get(id=person.id)  # of two moves at once the second is too soon
        if audit_since(person.id, "time_zone_changed", now - timedelta(hours=24)):
            raise TooSoon
        clock_move(person, name, now=now)
        audit_record(actor="self", subject=person.id, action="time_zone_changed")


def clock_move(person: User, name: str, *, now: datetime) -> None:
    """Set the time zone. Where that makes it another day, today's minutes come along: a move wins nobody any."""
    before = gate.local_day(person, now)
    person.time_zone = name
    person.save(update_fields=["time_zone"])
    after = gate.local_day(person, now)
    used = UsageDay.objects.filter(person=person, day=before).first() if before != after else None
    if used is not None:
        _usage_add(person, day=after, seconds=used.seconds, turns=used.turns)
        used.delete()


def memory_pause(person: User, *, paused: bool) -> None:
    """The person's own switch over what is remembered. It does not lift one that somebody else set."""
    with transaction.atomic():
        TimeLimits.objects.update_or_create(person=person, defaults={"memory_paused": paused})
        audit_record(actor="self", subject=person.id, action="memory_paused" if paused else "memory_resumed")
