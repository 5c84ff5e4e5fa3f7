"""What a guardian may set for a linked teen, and within which bounds. The gate reads it; the server holds to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from chatbot.accounts import gate, services
from chatbot.accounts.models import Role, TimeLimits, User
from chatbot.core import clock
from chatbot.core.audit import audit_record, audit_since

_DAY = 24 * 60
# A night of quiet that the youngest keep, and hours that anybody keeps for the chat.
QUIET_LEAST, QUIET_MOST = 7 * 60, 18 * 60
MOVED = "time_zone_moved"
# Skills that nobody switches off for somebody else: they are help.
STAY_ON = frozenset({"calm_down"})


class LimitsRefused(gate.Refused):
    """Limits that can't be set. The sentence says which would be fine."""

    code = "limits_refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self._sentence = sentence

    def sentence(self) -> str:
        return self._sentence


@dataclass(frozen=True)
class Wished:
    """What a guardian would like to hold. Quiet hours are both or neither. skills_off: names; that there are such
    skills is seen to by who calls."""

    quiet_from: time | None
    quiet_to: time | None
    minutes: int
    memory_off: bool
    time_zone: str
    skills_off: frozenset[str] = frozenset()


def limits_set(guardian: User, teen_id: uuid.UUID, wished: Wished) -> None:
    """Set quiet hours, minutes, memory, skills and the time zone. Raises LimitsRefused, gate.Refused."""
    now = clock.now()
    teen = gate.may_oversee(guardian, teen_id, now=now).teen
    held = TimeLimits.objects.filter(person=teen).exclude(set_by__in=("", Role.GUARDIAN)).exists()
    if held:
        raise LimitsRefused(_("Whoever runs this place has set these limits, so they can't be changed here."))
    _check_minutes(teen, wished.minutes, now)
    _check_quiet(teen, wished, now)
    if wished.skills_off & STAY_ON:
        raise LimitsRefused(_("What helps to calm down can't be switched off: it is help."))
    with transaction.atomic():
        teen = User.objects.select_for_update().get(id=teen.id)  # of two moves at once the second is too soon
        moved = wished.time_zone != teen.time_zone
        if moved:
            _check_moves(teen, now)
            services.clock_move(teen, wished.time_zone, now=now)
        TimeLimits.objects.update_or_create(
            person=teen,
            defaults={
                "quiet_from": wished.quiet_from,
                "quiet_to": wished.quiet_to,
                "minutes_a_day": wished.minutes,
                "memory_off": wished.memory_off,
                "skills_off": sorted(wished.skills_off),
                "set_by": Role.GUARDIAN,
            },
        )
        if moved:
            audit_record(actor="guardian", subject=teen.id, action=MOVED)
        audit_record(actor="guardian", subject=teen.id, action="limits_set")


def _check_moves(teen: User, now: datetime) -> None:
    """DANGER: minutes are told for days that are over. Whoever moved midnight every hour would see at which hours."""
    if audit_since(teen.id, MOVED, now - timedelta(hours=24)):
        raise LimitsRefused(_("The time zone can be changed once a day. Leave it for now, and the rest can be saved."))


def _check_minutes(teen: User, minutes: int, now: datetime) -> None:
    least, most = gate.MINUTES[gate.band_of(teen, now)]
    if not least <= minutes <= most:
        said = _("At this age it can be %(least)d to %(most)d minutes a day. To stop the chat, take back your yes.")
        raise LimitsRefused(said % {"least": least, "most": most})


def _check_quiet(teen: User, wished: Wished, now: datetime) -> None:
    if (wished.quiet_from is None) != (wished.quiet_to is None):
        raise LimitsRefused(_("Quiet hours need both times: when they begin and when they end."))
    young = gate.band_of(teen, now) == "13-15"
    if wished.quiet_from is None or wished.quiet_to is None:
        if young:
            raise LimitsRefused(_("Under 16 there are always quiet hours. Set when they begin and when they end."))
        return
    length = (_minute(wished.quiet_to) - _minute(wished.quiet_from)) % _DAY
    if length == 0 or length > QUIET_MOST:
        raise LimitsRefused(_("Quiet hours can last up to 18 hours. To stop the chat, take back your yes."))
    if young and length < QUIET_LEAST:
        raise LimitsRefused(_("Under 16 the quiet hours last 7 hours or more, so that there is a night."))


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
