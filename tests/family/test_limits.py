"""What a guardian sets holds on the server, within its bounds; and no clock of the teen's wins a minute."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chatbot.accounts import gate
from chatbot.accounts import services as people
from chatbot.accounts.guardian_limits import LimitsRefused, Wished, limits_set
from chatbot.accounts.models import Role, TimeLimits, UsageDay, User
from chatbot.core import clock
from tests.chat.house import NOON

FINE = Wished(time(21), time(7), 45, memory_off=False, time_zone="UTC")


def wished(**changes: object) -> Wished:
    return Wished(**{**vars(FINE), **changes})  # type: ignore[arg-type]  # the tests write all kinds


def at(hour: int, minute: int = 0, zone: str = "UTC") -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=ZoneInfo(zone))


def test_quiet_hours_hold(maya: User, ana: User) -> None:
    gate.may_talk(maya, now=at(21, 30))
    limits_set(ana, maya.id, FINE)
    with pytest.raises(gate.QuietHours) as refusal:
        gate.may_talk(maya, now=at(21, 30))
    assert f"opens again at {FINE.quiet_to:%H:%M}" in refusal.value.sentence()
    gate.may_talk(maya, now=at(20, 59))


def test_minutes_hold(maya: User, ana: User) -> None:
    limits_set(ana, maya.id, wished(minutes=15))
    people._usage_add(maya, day=NOON.date(), seconds=14 * 60)
    assert gate.may_talk(maya, now=NOON).minutes_left == 1
    people._usage_add(maya, day=NOON.date(), seconds=60)
    with pytest.raises(gate.LimitReached):
        gate.may_talk(maya, now=NOON)


def test_memory_off_holds_and_the_teen_s_own_switch_does_not_lift_it(maya: User, ana: User) -> None:
    limits_set(ana, maya.id, wished(memory_off=True))
    people.memory_pause(maya, paused=False)
    assert not gate.may_talk(maya, now=NOON).memory
    with pytest.raises(gate.MemoryFrozen):
        gate.may_keep(maya, now=NOON)


def test_the_teen_s_pause_stays_theirs_when_a_guardian_saves(maya: User, ana: User) -> None:
    people.memory_pause(maya, paused=True)
    limits_set(ana, maya.id, FINE)
    assert not gate.limits_of(maya, NOON).memory


@pytest.mark.parametrize("minutes", [-1, 0, 9, 121, 1440, 10**9])
def test_minutes_out_of_bounds_get_a_sentence_with_the_bounds(maya: User, ana: User, minutes: int) -> None:
    with pytest.raises(LimitsRefused) as refusal:
        limits_set(ana, maya.id, wished(minutes=minutes))
    assert "10 to 120" in refusal.value.sentence()
    assert not TimeLimits.objects.exists()


def test_the_bounds_go_by_the_band(leo: User, bruno: User) -> None:
    limits_set(bruno, leo.id, wished(minutes=180))
    with pytest.raises(LimitsRefused):
        limits_set(bruno, leo.id, wished(minutes=181))


@pytest.mark.parametrize(
    ("start", "end"),
    [(None, None), (time(22), None), (None, time(7)), (time(22), time(22)), (time(22), time(3)), (time(7), time(6))],
)
def test_quiet_hours_that_leave_no_night_or_no_day_are_refused(
    maya: User, ana: User, start: time | None, end: time | None
) -> None:
    with pytest.raises(LimitsRefused):
        limits_set(ana, maya.id, wished(quiet_from=start, quiet_to=end))


def test_from_16_quiet_hours_may_be_none(leo: User, bruno: User) -> None:
    limits_set(bruno, leo.id, wished(quiet_from=None, quiet_to=None))
    gate.may_talk(leo, now=at(3))


def test_a_guardian_moves_midnight_once_a_day_or_they_would_see_at_which_hours(maya: User, ana: User) -> None:
    people._usage_add(maya, day=NOON.date(), seconds=1200)
    limits_set(ana, maya.id, wished(time_zone="Asia/Tokyo"))
    for zone in ("Pacific/Noumea", "UTC"):
        with pytest.raises(LimitsRefused):
            limits_set(ana, maya.id, wished(time_zone=zone, minutes=15))
    assert gate.limits_of(maya, NOON).minutes == 45, "nothing of a refused form holds"
    limits_set(ana, maya.id, wished(time_zone="Asia/Tokyo", minutes=30))  # the rest can be saved
    clock.move_to(NOON + timedelta(hours=25))
    limits_set(ana, maya.id, wished(time_zone="UTC"))
    maya.refresh_from_db()
    assert maya.time_zone == "UTC"


def test_somebody_else_s_guardian_sets_nothing(maya: User, bruno: User) -> None:
    with pytest.raises(gate.NotLinked):
        limits_set(bruno, maya.id, FINE)
    with pytest.raises(gate.NotAGuardian):
        limits_set(maya, maya.id, FINE)


def test_what_the_operator_set_is_not_a_guardian_s_to_change(maya: User, ana: User) -> None:
    TimeLimits.objects.create(person=maya, memory_off=True, set_by=Role.OPERATOR)
    with pytest.raises(LimitsRefused):
        limits_set(ana, maya.id, FINE)


def test_with_a_guardian_the_teen_does_not_move_the_clock(maya: User, ana: User) -> None:
    with pytest.raises(gate.ClockHeld):
        people.time_zone_set(maya, "Pacific/Kiritimati")
    assert maya.time_zone == "UTC"
    people.time_zone_set(maya, "UTC")  # the same one is no move
    limits_set(ana, maya.id, wished(time_zone="Asia/Tokyo"))
    maya.refresh_from_db()
    with pytest.raises(gate.QuietHours):
        gate.may_talk(maya, now=at(21, 30, "Asia/Tokyo"))
    gate.may_talk(maya, now=at(12, 0, "Asia/Tokyo"))


def test_moving_the_clock_into_tomorrow_wins_no_minutes(leo: User) -> None:
    late = at(22, 30)
    clock.move_to(late)
    people._usage_add(leo, day=date(2026, 11, 24), seconds=90 * 60)
    with pytest.raises(gate.LimitReached):
        gate.may_talk(leo, now=late)
    people.time_zone_set(leo, "Asia/Tokyo")
    assert gate.local_day(leo, late) == date(2026, 11, 25)
    with pytest.raises(gate.LimitReached):
        gate.may_talk(leo, now=late)
    assert [(row.day, row.seconds) for row in UsageDay.objects.all()] == [(date(2026, 11, 25), 90 * 60)]


def test_moving_there_and_back_counts_everything_once(leo: User) -> None:
    late = at(22, 30)
    clock.move_to(late)
    people._usage_add(leo, day=date(2026, 11, 24), seconds=600)
    people.time_zone_set(leo, "Asia/Tokyo")
    people._usage_add(leo, day=date(2026, 11, 25), seconds=300)
    with pytest.raises(people.TooSoon):
        people.time_zone_set(leo, "UTC")
    people.clock_move(leo, "UTC", now=late)
    assert [(row.day, row.seconds) for row in UsageDay.objects.all()] == [(date(2026, 11, 24), 900)]


def test_a_day_later_the_minutes_are_fresh_and_not_a_second_earlier(maya: User, ana: User) -> None:
    limits_set(ana, maya.id, wished(minutes=10, quiet_from=time(1), quiet_to=time(8)))
    people._usage_add(maya, day=NOON.date(), seconds=600)
    midnight = at(0) + timedelta(days=1)
    with pytest.raises(gate.LimitReached):
        gate.may_talk(maya, now=midnight - timedelta(seconds=1))
    gate.may_talk(maya, now=midnight)
