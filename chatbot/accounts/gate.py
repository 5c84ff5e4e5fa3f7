"""Every "may A do B to C", each with its own refusal. Default is no. Nothing else decides who may do what."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from chatbot.accounts import bands, regions
from chatbot.accounts.bands import Band
from chatbot.accounts.models import (
    ConsentKind,
    Guardianship,
    GuardianshipState,
    Role,
    TimeLimits,
    UsageDay,
    User,
)
from chatbot.accounts.refusals import (
    BreakOpen,
    ClockHeld,
    ClosedAndGoing,
    ConsentNeeded,
    ConsentWithdrawn,
    DealOpen,
    ErasureBegun,
    GuardianNeeded,
    LimitReached,
    Locked,
    MemoryFrozen,
    NotAGuardian,
    NotATeen,
    NotLinked,
    NotStaff,
    QuietHours,
    Refused,
    RegionClosed,
    RegionUnset,
    RepliesStopped,
    SecondFactorStale,
    SecondFactorUnset,
    SignedOut,
)
from chatbot.accounts.standing import Standing, limits_row
from chatbot.core.choices import choices

# The refusals stand in a module of their own; `gate.X` is how the house names them.
__all__ = [
    "BreakOpen",
    "ClockHeld",
    "ClosedAndGoing",
    "ConsentNeeded",
    "ConsentWithdrawn",
    "DealOpen",
    "ErasureBegun",
    "GuardianNeeded",
    "LimitReached",
    "Locked",
    "MemoryFrozen",
    "NotAGuardian",
    "NotATeen",
    "NotLinked",
    "NotStaff",
    "QuietHours",
    "Refused",
    "RegionClosed",
    "RegionUnset",
    "RepliesStopped",
    "SecondFactorStale",
    "SecondFactorUnset",
    "SignedOut",
]

UNKNOWN_BAND: Band = "13-15"


@dataclass(frozen=True)
class Terms:
    """What a person who is answered may have: plain mode, memory, all skills but those."""

    band: Band
    plain: bool
    memory: bool
    skills_off: frozenset[str]


@dataclass(frozen=True)
class Pass(Terms):
    """The same for who may talk now, and minutes left today (None: no limit)."""

    minutes_left: int | None


@dataclass(frozen=True)
class DayLimits:
    """Quiet hours (local) and minutes a day; None means none."""

    quiet_from: time | None
    quiet_to: time | None
    minutes: int | None
    memory: bool
    skills_off: frozenset[str] = frozenset()


DEFAULTS: dict[Band, DayLimits] = {
    "13-15": DayLimits(time(22), time(7), 60, True),
    "16-17": DayLimits(None, None, 90, True),
    "18+": DayLimits(None, None, 90, True),
}


# Minutes a day that a guardian may set: the least and the most.
MINUTES: dict[Band, tuple[int, int]] = {"13-15": (10, 120), "16-17": (10, 180), "18+": (10, 180)}
# From this age a teen ends a link alone; before it they ask, and the guardian confirms.
ENDS_ALONE = 16


def zone_of(person: User) -> ZoneInfo:
    """The person's time zone; UTC where the name is unknown."""
    try:
        return ZoneInfo(person.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_day(person: User, now: datetime) -> date:
    return now.astimezone(zone_of(person)).date()


def band_of(person: User, now: datetime) -> Band:
    """Today's band; somebody without one is treated as the youngest."""
    for band in bands.BANDS:
        if person.band == band:
            return bands.band_at(band, person.band_until, local_day(person, now)).band
    return UNKNOWN_BAND


def age_of(person: User, now: datetime) -> int:
    """Whole years; the band's youngest where its month is not known."""
    band, until = band_of(person, now), person.band_until
    return bands.age_at(band, until, local_day(person, now)) if until else bands.youngest_of(band)


def limits_of(person: User, now: datetime) -> DayLimits:
    """The limits that hold: the person's own row over the band's defaults. At 18 a guardian's word ends."""
    return limits_from(person, limits_row(person), now)


def limits_from(person: User, row: TimeLimits | None, now: datetime) -> DayLimits:
    """As limits_of, by a row that was read with the person just now."""
    band = band_of(person, now)
    default = DEFAULTS[band]
    if row is None:
        return default
    if outgrown(person, row, now):
        return DayLimits(default.quiet_from, default.quiet_to, default.minutes, not row.memory_paused)
    return DayLimits(
        row.quiet_from or default.quiet_from,
        row.quiet_to or default.quiet_to,
        row.minutes_a_day if row.minutes_a_day is not None else default.minutes,
        not (row.memory_off or row.memory_paused),
        frozenset(row.skills_off),
    )


def outgrown(person: User, row: TimeLimits, now: datetime) -> bool:
    """Whether a guardian set this, and their word has ended: at 18."""
    return row.set_by == Role.GUARDIAN and band_of(person, now) == "18+"


def _is_quiet(limits: DayLimits, local: time) -> bool:
    start, end = limits.quiet_from, limits.quiet_to
    if start is None or end is None or start == end:
        return False
    return start <= local < end if start < end else local >= start or local < end


def _check_region(person: User, band: Band, now: datetime, chosen: Mapping[str, str]) -> bool:
    """Whether plain mode holds there. Raises where people of that band can't chat."""
    if band == "18+":
        return False
    policy = regions.region_policy(country=person.country, region=person.region, chosen=chosen)
    if policy is None:
        raise RegionUnset
    if policy in ("block", "adults_only"):
        raise RegionClosed
    age = age_of(person, now)
    active = Guardianship.objects.filter(teen_id=person.id, state=GuardianshipState.ACTIVE)
    links = list(active.values_list("withdrawn_at", flat=True))
    if any(links):
        raise ConsentWithdrawn
    if age < regions.consent_age(person.country) and not _has_consent(person):
        raise ConsentNeeded
    linked_until = regions.guardian_until(person.country)
    if linked_until is not None and age <= linked_until and not links:
        raise GuardianNeeded
    return policy == "plain_mode"


def _has_consent(person: User) -> bool:
    return person.consents.filter(kind=ConsentKind.CHAT, withdrawn_at=None).exists()


def may_enter(person: User, *, now: datetime) -> bool:
    """Whether this person may have a chat at all (not: right now). True in plain mode. Raises Refused."""
    return _enter(person, now, choices("regions"))


def _enter(person: User, now: datetime, chosen: Mapping[str, Any]) -> bool:
    if not person.is_active:
        raise SignedOut
    if person.role != Role.TEEN:
        raise NotATeen
    if person.locked_at is not None:
        raise Locked
    return _check_region(person, band_of(person, now), now, chosen.get("regions", {}))


def may_talk(person: User, *, now: datetime) -> Pass:
    """Whether this person may talk now, and with what. Raises Refused."""
    return may_talk_as(Standing.of(person), now=now)


def may_talk_as(standing: Standing, *, now: datetime) -> Pass:
    """As may_talk, by rows that were read with the person just now."""
    person = standing.person
    terms, limits = _answerable(person, standing.limits, now)
    left = None
    if limits.minutes is not None:
        day = UsageDay.objects.filter(person_id=person.id, day=local_day(person, now))
        left = max(0, limits.minutes - sum(day.values_list("seconds", flat=True)) // 60)
    if left == 0:
        raise LimitReached
    if standing.presence is not None and standing.presence.break_open:
        raise BreakOpen
    return Pass(terms.band, terms.plain, terms.memory, terms.skills_off, left)


def may_be_answered(person: User, limits: TimeLimits | None, *, now: datetime) -> Terms:
    """Whether a message that was taken in may still be answered freely, and with what: the gate without minutes and
    breaks, since they may have run out with this very message. `limits`: the person's own row. Raises Refused."""
    return _answerable(person, limits, now)[0]


def _answerable(person: User, row: TimeLimits | None, now: datetime) -> tuple[Terms, DayLimits]:
    chosen = choices("regions", "replies_stopped")
    plain = _enter(person, now, chosen)
    if person.deal_confirmed_at is None:
        raise DealOpen
    if chosen.get("replies_stopped", False):
        raise RepliesStopped
    limits = limits_from(person, row, now)
    if limits.quiet_to is not None and _is_quiet(limits, now.astimezone(zone_of(person)).time()):
        raise QuietHours(limits.quiet_to)
    return Terms(band_of(person, now), plain, limits.memory and not plain, limits.skills_off), limits


def may_own(person: User, owner_id: uuid.UUID) -> None:
    """Only its owner opens a conversation, a message or a memory. Raises Refused."""
    if not person.is_active or person.id != owner_id:
        raise Refused


def may_recover(person: User) -> None:
    """Whether the operator may make a way back in for this account. Raises Refused."""
    if not person.is_active or person.throw_away:
        raise Refused


def remembers(standing: Standing, *, now: datetime) -> bool:
    """Whether anything may be remembered about this person just now, by rows that were read with them just now."""
    try:
        plain = may_enter(standing.person, now=now)
    except Refused:
        return False
    return not plain and limits_from(standing.person, standing.limits, now).memory


def may_keep(person: User, *, now: datetime) -> None:
    """Whether anything may be learned, corrected or recalled about this person now. Raises Refused, MemoryFrozen.

    What is kept already can be seen and deleted by its owner whatever this says (4.10).
    """
    if may_enter(person, now=now) or not limits_of(person, now).memory:
        raise MemoryFrozen


def may_erase(actor: User, person_id: uuid.UUID) -> None:
    """Only the person themself deletes an account here: no guardian a teen's, and no staff account. Raises Refused."""
    if not actor.is_active or actor.id != person_id or actor.role not in (Role.TEEN, Role.GUARDIAN):
        raise Refused


def may_erase_guest(guest: User) -> None:
    """A site's visitor deletes their own too. Not while the account is closed: their site would vouch for them again at
    once, and somebody who may be under 13 would be back (R19). It goes by itself. Raises Refused, ClosedAndGoing."""
    may_erase(guest, guest.id)
    if guest.locked_at is not None:
        raise ClosedAndGoing


def may_export(actor: User, person_id: uuid.UUID) -> None:
    """Everybody takes a copy of what is kept about themself, closed accounts too; nobody of others. Raises Refused."""
    if not actor.is_active or actor.id != person_id:
        raise Refused


STAFF = frozenset({Role.MODERATOR, Role.OPERATOR})
# How long one code of the authenticator app opens what was flagged.
CODE_LASTS, CLOCKS_DIFFER = timedelta(hours=12), timedelta(minutes=5)


def may_have_second_factor(person: User) -> None:
    """Only staff set up an authenticator app. Raises Refused."""
    if not person.is_active or person.role not in STAFF:
        raise NotStaff


def may_review(person: User, *, has_factor: bool, passed_at: datetime | None, now: datetime) -> None:
    """Whether this person may see what was flagged: staff, with a code of their app in this sign-in. Raises Refused."""
    may_have_second_factor(person)
    if not has_factor:
        raise SecondFactorUnset
    if passed_at is None or not -CLOCKS_DIFFER <= now - passed_at < CODE_LASTS:
        raise SecondFactorStale


def may_review_of(person: User, owner_id: uuid.UUID) -> None:
    """Nobody reviews themself or somebody of their own (4.10). Raises Refused."""
    related = Guardianship.objects.filter(
        Q(guardian=person, teen_id=owner_id) | Q(teen=person, guardian_id=owner_id), state=GuardianshipState.ACTIVE
    )
    if person.id == owner_id or related.exists():
        raise Refused


def may_guard(person: User) -> None:
    """Whether this account can be a guardian's: nobody who works here, no teen (4.10). Raises NotAGuardian."""
    if not person.is_active or person.role != Role.GUARDIAN:
        raise NotAGuardian


def may_be_guarded(person: User, *, now: datetime) -> None:
    """Whether this account can have a guardian: a teen's own, under 18, not closed. Raises Refused."""
    own = person.is_active and person.role == Role.TEEN and person.has_usable_password()
    if not own or person.locked_at is not None or band_of(person, now) == "18+":
        raise Refused


def may_oversee(guardian: User, teen_id: uuid.UUID, *, now: datetime) -> Guardianship:
    """The active link by which a guardian sees and sets anything about this teen. Raises NotAGuardian, NotLinked.

    Somebody else's teen, an ended link and an id that nobody has are all the same no.
    """
    may_guard(guardian)
    links = guardian.wards.filter(teen_id=teen_id, state=GuardianshipState.ACTIVE)
    link = links.select_related("teen", "guardian").first()
    if link is None or not link.teen.is_active or band_of(link.teen, now) == "18+":
        raise NotLinked
    return link


def may_end(person: User, link: Guardianship, *, now: datetime) -> bool:
    """Whether this person ends the link at once (True), or asks for its end (False). Raises NotLinked for others."""
    if not person.is_active or person.id not in (link.teen_id, link.guardian_id):
        raise NotLinked
    return person.id == link.guardian_id or age_of(person, now) >= ENDS_ALONE


def may_move_clock(person: User, *, now: datetime) -> None:
    """Whether the person may change their own time zone: not while a guardian's limits go by it. Raises ClockHeld."""
    linked = person.guardianships.filter(state=GuardianshipState.ACTIVE).exists()
    if person.role == Role.TEEN and linked and band_of(person, now) != "18+":
        raise ClockHeld


def break_after(person: User, now: datetime) -> timedelta:
    """How long continuous use may last before the reminder (R5)."""
    return timedelta(minutes=180 if band_of(person, now) == "18+" else 60)
