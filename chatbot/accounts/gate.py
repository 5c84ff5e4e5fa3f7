"""Every "may A do B to C", each with its own refusal. Default is no. Nothing else decides who may do what."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from chatbot.accounts import bands, regions
from chatbot.accounts.bands import Band
from chatbot.accounts.models import ConsentKind, GuardianshipState, Presence, Role, TimeLimits, UsageDay, User
from chatbot.core.choices import choice

UNKNOWN_BAND: Band = "13-15"
NoticeKind = Literal["limit", "quiet_hours", "break", "guardian"]


class Refused(Exception):
    """May not. `code` is for programs, the sentence for the person; `notice` is how the chat shows it."""

    code: ClassVar[str] = "not_allowed"
    notice: ClassVar[NoticeKind] = "guardian"

    def sentence(self) -> str:
        return _("That isn't yours to open.")


class SignedOut(Refused):
    code = "signed_out"

    def sentence(self) -> str:
        return _("You're signed out. Sign in again to go on; your draft is kept here.")


class NotATeen(Refused):
    code = "no_chat_here"

    def sentence(self) -> str:
        return _("This account looks after others; it has no chat of its own.")


class Locked(Refused):
    code = "locked"

    def sentence(self) -> str:
        return _("This account is closed for now. A grown-up can write to whoever runs this place. Help is still here.")


class RegionUnset(Refused):
    code = "region_unset"

    def sentence(self) -> str:
        return _("Whoever runs this place hasn't opened it for your country yet.")


class RegionClosed(Refused):
    code = "region_closed"

    def sentence(self) -> str:
        return _("Where you live, this can't be offered to people under 18. Help is still here.")


class ConsentNeeded(Refused):
    code = "consent_needed"

    def sentence(self) -> str:
        return _("A parent or carer has to say yes before the chat opens.")


class GuardianNeeded(Refused):
    code = "guardian_needed"

    def sentence(self) -> str:
        return _("Where you live, a parent or carer's account has to be linked before the chat opens.")


class DealOpen(Refused):
    code = "deal_open"

    def sentence(self) -> str:
        return _("First the deal: read it once and say yes, then we talk.")


class MemoryFrozen(Refused):
    code = "memory_frozen"

    def sentence(self) -> str:
        return _("Memory is off, so nothing can be changed. You can still see everything and delete it.")


class QuietHours(Refused):
    code = "quiet_hours"
    notice = "quiet_hours"

    def sentence(self) -> str:
        return _("It's quiet hours. The chat opens again in the morning. Help is still here.")


class LimitReached(Refused):
    code = "limit_reached"
    notice = "limit"

    def sentence(self) -> str:
        return _("That's today's time used up. It starts fresh tomorrow. Help is still here.")


class BreakOpen(Refused):
    code = "break"
    notice = "break"

    def sentence(self) -> str:
        return _("Time for a breather. Tap the button when you'd like to go on.")


class RepliesStopped(Refused):
    code = "replies_stopped"
    notice = "limit"

    def sentence(self) -> str:
        return _("Whoever runs this place has paused the chat. Help is still here.")


@dataclass(frozen=True)
class Pass:
    """What a person who may talk may have: plain mode, memory, minutes left today (None: no limit)."""

    band: Band
    plain: bool
    memory: bool
    minutes_left: int | None


@dataclass(frozen=True)
class DayLimits:
    """Quiet hours (local) and minutes a day; None means none."""

    quiet_from: time | None
    quiet_to: time | None
    minutes: int | None
    memory: bool


DEFAULTS: dict[Band, DayLimits] = {
    "13-15": DayLimits(time(22), time(7), 60, True),
    "16-17": DayLimits(None, None, 90, True),
    "18+": DayLimits(None, None, 90, True),
}


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


def limits_of(person: User, now: datetime) -> DayLimits:
    """The limits that hold: the person's own row over the band's defaults."""
    row = TimeLimits.objects.filter(person=person).first()
    default = DEFAULTS[band_of(person, now)]
    if row is None:
        return default
    return DayLimits(
        row.quiet_from or default.quiet_from,
        row.quiet_to or default.quiet_to,
        row.minutes_a_day if row.minutes_a_day is not None else default.minutes,
        not (row.memory_off or row.memory_paused),
    )


def _is_quiet(limits: DayLimits, local: time) -> bool:
    start, end = limits.quiet_from, limits.quiet_to
    if start is None or end is None or start == end:
        return False
    return start <= local < end if start < end else local >= start or local < end


def _check_region(person: User, band: Band, now: datetime) -> bool:
    """Whether plain mode holds there. Raises where people of that band can't chat."""
    if band == "18+":
        return False
    policy = regions.region_policy(country=person.country, region=person.region, chosen=choice("regions", {}))
    if policy is None:
        raise RegionUnset
    if policy in ("block", "adults_only"):
        raise RegionClosed
    age = bands.age_at(band, person.band_until, local_day(person, now)) if person.band_until else bands.YOUNGEST
    if age < regions.consent_age(person.country) and not _has_consent(person):
        raise ConsentNeeded
    linked_until = regions.guardian_until(person.country)
    if linked_until is not None and age <= linked_until and not _is_linked(person):
        raise GuardianNeeded
    return policy == "plain_mode"


def _is_linked(person: User) -> bool:
    return person.guardianships.filter(state=GuardianshipState.ACTIVE).exists()


def _has_consent(person: User) -> bool:
    return person.consents.filter(kind=ConsentKind.CHAT, withdrawn_at=None).exists()


def may_enter(person: User, *, now: datetime) -> bool:
    """Whether this person may have a chat at all (not: right now). True in plain mode. Raises Refused."""
    if not person.is_active:
        raise SignedOut
    if person.role != Role.TEEN:
        raise NotATeen
    if person.locked_at is not None:
        raise Locked
    return _check_region(person, band_of(person, now), now)


def may_talk(person: User, *, now: datetime) -> Pass:
    """Whether this person may talk now, and with what. Raises Refused."""
    plain = may_enter(person, now=now)
    if person.deal_confirmed_at is None:
        raise DealOpen
    if choice("replies_stopped", False):
        raise RepliesStopped
    limits = limits_of(person, now)
    if _is_quiet(limits, now.astimezone(zone_of(person)).time()):
        raise QuietHours
    used = UsageDay.objects.filter(person=person, day=local_day(person, now)).first()
    left = None if limits.minutes is None else max(0, limits.minutes - (used.seconds // 60 if used else 0))
    if left == 0:
        raise LimitReached
    if Presence.objects.filter(person=person, break_open=True).exists():
        raise BreakOpen
    return Pass(band=band_of(person, now), plain=plain, memory=limits.memory and not plain, minutes_left=left)


def may_own(person: User, owner_id: uuid.UUID) -> None:
    """Only its owner opens a conversation, a message or a memory. Raises Refused."""
    if not person.is_active or person.id != owner_id:
        raise Refused


def may_recover(person: User) -> None:
    """Whether the operator may make a way back in for this account. Raises Refused."""
    if not person.is_active or person.throw_away:
        raise Refused


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


def break_after(person: User, now: datetime) -> timedelta:
    """How long continuous use may last before the reminder (R5)."""
    return timedelta(minutes=180 if band_of(person, now) == "18+" else 60)
