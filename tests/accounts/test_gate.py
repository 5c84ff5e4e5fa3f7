from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from chatbot.accounts import gate, services
from chatbot.accounts.models import TimeLimits, UsageDay, User
from chatbot.core import clock
from chatbot.core.choices import choice_set
from tests.conftest import make_teen

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def refusal(person: User, at: datetime = NOON) -> str:
    with pytest.raises(gate.Refused) as caught:
        gate.may_talk(person, now=at)
    assert len(caught.value.sentence()) > 10
    return caught.value.code


def test_a_teen_may_talk_by_day(maya: User, leo: User) -> None:
    allowed = gate.may_talk(maya, now=NOON)
    assert (allowed.band, allowed.plain, allowed.memory, allowed.minutes_left) == ("13-15", False, True, 60)
    assert gate.may_talk(leo, now=NOON).minutes_left == 90


def test_guardian_moderator_and_operator_have_no_chat(ana: User, rui: User, olga: User) -> None:
    assert {refusal(person) for person in (ana, rui, olga)} == {"no_chat_here"}


def test_nobody_under_18_talks_until_the_operator_has_chosen(db: None) -> None:
    assert refusal(make_teen("maya", age=15)) == "region_unset"


def test_adults_talk_without_a_region_choice(db: None) -> None:
    assert gate.may_talk(make_teen("nora", age=30), now=NOON).band == "18+"


@pytest.mark.parametrize(("country", "region"), [("US", "US-NY"), ("CA", "CA-MB"), ("CN", "")])
def test_what_ships_closed_stays_closed_when_all_is_opened(open_house: None, country: str, region: str) -> None:
    assert refusal(make_teen("maya", age=15, country=country, region=region)) == "region_closed"


@pytest.mark.parametrize("policy", ["block", "adults_only"])
def test_a_closed_region_is_closed(maya: User, policy: str) -> None:
    choice_set("regions", {"*": "allow", "US-CA": policy})
    assert refusal(maya) == "region_closed"


def test_plain_mode_takes_memory_away(maya: User) -> None:
    choice_set("regions", {"US": "plain_mode"})
    allowed = gate.may_talk(maya, now=NOON)
    assert allowed.plain
    assert not allowed.memory


@pytest.mark.parametrize(
    ("country", "age", "needs"),
    [("FR", 14, True), ("FR", 15, False), ("ES", 13, True), ("ES", 14, False), ("IN", 17, True), ("ZZ", 15, True)],
)
def test_consent_is_asked_below_the_country_s_age(open_house: None, country: str, age: int, needs: bool) -> None:
    person = make_teen("teen", age=age, country=country, region="")
    if needs:
        assert refusal(person) == "consent_needed"
        services.consent_give(person=person, given_by="operator", method="signed form")
    assert gate.may_talk(person, now=NOON)
    if needs:
        services.consent_withdraw(person=person, by="operator")
        assert refusal(person) == "consent_needed"


def test_in_brazil_a_guardian_must_be_linked(open_house: None, ana: User) -> None:
    person = make_teen("bia", age=16, country="BR", region="")
    assert refusal(person) == "guardian_needed"
    services.guardianship_start(teen=person, guardian=ana)
    assert gate.may_talk(person, now=NOON)


def test_the_deal_comes_first(maya: User) -> None:
    maya.deal_confirmed_at = None
    maya.save()
    assert refusal(maya) == "deal_open"


def test_quiet_hours_follow_the_person_s_own_clock(maya: User, leo: User) -> None:
    late = datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert refusal(maya, late) == "quiet_hours"
    assert refusal(maya, datetime(2026, 11, 24, 6, 59, tzinfo=UTC)) == "quiet_hours"
    assert gate.may_talk(maya, now=datetime(2026, 11, 24, 7, tzinfo=UTC))
    maya.time_zone = "America/Los_Angeles"
    assert gate.may_talk(maya, now=late)
    assert gate.may_talk(leo, now=late)
    maya.time_zone = "Not/AZone"
    assert refusal(maya, late) == "quiet_hours"


def test_quiet_hours_within_a_day_hold_too(leo: User) -> None:
    TimeLimits.objects.create(person=leo, quiet_from=time(11), quiet_to=time(13))
    assert refusal(leo) == "quiet_hours"
    assert gate.may_talk(leo, now=NOON + timedelta(hours=1))


def test_minutes_run_out_and_start_fresh_tomorrow(maya: User) -> None:
    UsageDay.objects.create(person=maya, day=NOON.date(), seconds=59 * 60)
    assert gate.may_talk(maya, now=NOON).minutes_left == 1
    UsageDay.objects.update(seconds=60 * 60)
    assert refusal(maya) == "limit_reached"
    assert gate.may_talk(maya, now=NOON + timedelta(days=1))


def test_an_hour_of_continuous_use_asks_for_a_break_that_a_tap_ends(maya: User) -> None:
    TimeLimits.objects.create(person=maya, minutes_a_day=600)
    due = [services.usage_record(maya, now=NOON + timedelta(minutes=10 * step)) for step in range(7)]
    assert due == [False] * 6 + [True]
    assert refusal(maya, NOON + timedelta(minutes=61)) == "break"
    with clock.at(NOON + timedelta(minutes=62)):
        assert services.break_acknowledge(maya)
    assert not services.break_acknowledge(maya)
    assert gate.may_talk(maya, now=NOON + timedelta(minutes=62))


def test_a_pause_of_half_an_hour_starts_the_run_anew(maya: User) -> None:
    for minute in (0, 20, 40, 75, 95, 115):
        assert not services.usage_record(maya, now=NOON + timedelta(minutes=minute))
    assert UsageDay.objects.get().seconds == 80 * 60


def test_a_locked_or_closed_account_does_not_talk(maya: User) -> None:
    services.person_lock(maya, reason="under_13")
    assert refusal(maya) == "locked"
    maya.is_active = False
    assert refusal(maya) == "signed_out"


def test_one_switch_stops_free_replies_for_everybody(maya: User) -> None:
    choice_set("replies_stopped", True)
    assert refusal(maya) == "replies_stopped"


def test_only_the_owner_opens_what_is_theirs(maya: User, leo: User, ana: User) -> None:
    gate.may_own(maya, maya.id)
    for other in (leo, ana):
        with pytest.raises(gate.Refused):
            gate.may_own(other, maya.id)
