"""The gate's two questions behind the person's own pages, and what stands behind devices."""

from __future__ import annotations

import pytest
from django.test import Client

from chatbot.accounts import gate, services
from chatbot.accounts.devices import device_end, devices_end, devices_of
from chatbot.accounts.models import TimeLimits, User
from chatbot.core import clock
from chatbot.core.choices import choice_set

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def test_only_oneself_erases_and_no_staff_account_goes_this_way(maya: User, ana: User, rui: User, olga: User) -> None:
    gate.may_erase(maya, maya.id)
    gate.may_erase(ana, ana.id)
    for actor, owner in ((ana, maya), (rui, maya), (olga, maya), (maya, ana), (rui, rui), (olga, olga)):
        with pytest.raises(gate.Refused):
            gate.may_erase(actor, owner.id)


def test_somebody_whose_account_is_switched_off_may_erase_nothing(maya: User) -> None:
    maya.is_active = False
    with pytest.raises(gate.Refused):
        gate.may_erase(maya, maya.id)


def test_memory_may_be_kept_with_everything_on(maya: User) -> None:
    gate.may_keep(maya, now=clock.now())
    assert gate.limits_of(maya, clock.now()).memory


@pytest.mark.parametrize("switch", ["memory_off", "memory_paused"])
def test_either_switch_freezes_memory(maya: User, switch: str) -> None:
    TimeLimits.objects.create(person=maya, **{switch: True})
    with pytest.raises(gate.MemoryFrozen):
        gate.may_keep(maya, now=clock.now())


def test_plain_mode_and_a_closed_region_freeze_memory(maya: User) -> None:
    choice_set("regions", {"*": "plain_mode"})
    with pytest.raises(gate.MemoryFrozen):
        gate.may_keep(maya, now=clock.now())
    choice_set("regions", {"*": "block"})
    with pytest.raises(gate.RegionClosed):
        gate.may_keep(maya, now=clock.now())


def test_one_s_own_pause_is_lifted_by_oneself_and_keeps_the_other_limits(maya: User) -> None:
    TimeLimits.objects.create(person=maya, minutes_a_day=30)
    services.memory_pause(maya, paused=True)
    assert not gate.limits_of(maya, clock.now()).memory
    services.memory_pause(maya, paused=False)
    limits = gate.limits_of(maya, clock.now())
    assert limits.memory
    assert limits.minutes == 30


def test_devices_are_the_person_s_own_only(maya: User, leo: User) -> None:
    for person in (maya, leo):
        Client().force_login(person, backend=BACKEND)
    (mayas,) = devices_of(maya.id, here=None)
    assert not device_end(leo.id, mayas.id)
    assert device_end(maya.id, mayas.id)
    assert not device_end(maya.id, mayas.id)
    assert devices_of(maya.id, here=None) == []
    assert len(devices_of(leo.id, here=None)) == 1
    assert devices_end(maya.id) == 0


def test_the_clock_moves_once_a_day(maya: User) -> None:
    services.time_zone_set(maya, "UTC")  # the same one is no move
    services.time_zone_set(maya, "Europe/Lisbon")
    with pytest.raises(services.TooSoon):
        services.time_zone_set(maya, "Asia/Tokyo")
    assert User.objects.get(id=maya.id).time_zone == "Europe/Lisbon"
