"""A visitor's day: neither deleting everything nor another time zone wins minutes or takes a break away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from chatbot.accounts import gate, services
from chatbot.accounts.models import Presence, UsageDay, User
from chatbot.core import clock
from chatbot.core.audit import audit_of
from chatbot.core.models import AuditEntry
from chatbot.widget import sites
from chatbot.widget.models import DayHeld, Visitor
from chatbot.widget.services import spent_forget
from tests.at_once import at_once
from tests.chat.house import NOON
from tests.widget.host import ORIGIN, admitted, ask, made, ticket


@pytest.fixture
def site(open_house: None) -> sites.NewSecret:
    clock.move_to(NOON)
    return made()


def guest() -> User:
    return Visitor.objects.select_related("person").get().person


def talked(person: User, *, minutes: int) -> None:
    services.deal_confirm(person)
    services._usage_add(person, day=gate.local_day(person, clock.now()), seconds=minutes * 60)


def erase(site: sites.NewSecret, **claims: str) -> None:
    given = {"site": site.site.public_key, "origin": ORIGIN}
    assert ask("forget", ticket=ticket(site, **claims), **given).json() == {"deleted": True}
    assert not User.objects.exists()


def minutes_left(person: User) -> int | None:
    services.deal_confirm(person)
    return gate.may_talk(person, now=clock.now()).minutes_left


# --- deleting everything ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_deleting_everything_wins_no_minutes_however_often(site: sites.NewSecret) -> None:
    ticket(site)
    talked(guest(), minutes=45)
    for _ in range(2):
        erase(site)
        ticket(site)
        assert minutes_left(guest()) == 15
    talked(guest(), minutes=15)
    erase(site)
    ticket(site)
    with pytest.raises(gate.LimitReached):
        minutes_left(guest())
    clock.move_to(NOON + timedelta(days=1))
    assert minutes_left(guest()) == 60


@pytest.mark.django_db
def test_a_day_that_is_over_is_not_begun_with(site: sites.NewSecret) -> None:
    ticket(site)
    talked(guest(), minutes=60)
    erase(site)
    clock.move_to(NOON + timedelta(days=1))
    ticket(site)
    assert minutes_left(guest()) == 60
    assert not UsageDay.objects.exists()


@pytest.mark.django_db
def test_the_break_stays_open(site: sites.NewSecret) -> None:
    ticket(site)
    now = clock.now()
    Presence.objects.create(person=guest(), run_from=now, last_at=now, break_open=True)
    erase(site)
    ticket(site)
    with pytest.raises(gate.BreakOpen):
        minutes_left(guest())
    assert services.break_acknowledge(guest())
    erase(site)
    ticket(site)
    assert minutes_left(guest()) == 60


@pytest.mark.django_db
def test_deleting_everything_moves_no_clock(site: sites.NewSecret) -> None:
    ticket(site, tz="UTC")
    talked(guest(), minutes=60)
    erase(site)
    for _ in range(2):
        ticket(site, tz="Pacific/Kiritimati")  # where tomorrow has begun
        assert guest().time_zone == "UTC"
        with pytest.raises(gate.LimitReached):
            minutes_left(guest())
    clock.move_to(NOON + timedelta(hours=48, minutes=1))
    ticket(site, tz="Pacific/Kiritimati")
    assert guest().time_zone == "Pacific/Kiritimati"


@pytest.mark.django_db
def test_what_stays_is_the_day_alone_and_for_two_days(site: sites.NewSecret) -> None:
    ticket(site)
    person = guest()
    talked(person, minutes=7)
    erase(site)
    kept = DayHeld.objects.values().get()
    assert kept.keys() == {"id", "site_id", "subject", "time_zone", "day", "seconds", "break_open", "expires_at"}
    assert (kept["day"], kept["seconds"], kept["break_open"]) == (NOON.date(), 420, False)
    assert len(kept["subject"]) == 64
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM widget_dayheld")
        row = str(cursor.fetchone())
    assert "student-1" not in row
    assert str(person.id) not in row
    assert person.id.hex not in row
    with clock.at(NOON + timedelta(hours=47)):
        spent_forget()
        assert DayHeld.objects.exists()
    with clock.at(NOON + timedelta(hours=48, minutes=1)):
        assert spent_forget() >= 1
    assert not DayHeld.objects.exists()


@pytest.mark.django_db
def test_somebody_else_and_another_site_begin_with_a_whole_day(site: sites.NewSecret) -> None:
    ticket(site)
    talked(guest(), minutes=60)
    erase(site)
    other = made(name="Southside School")
    for where, sub in ((site, "student-2"), (other, "student-1")):
        ticket(where, sub=sub)
        assert minutes_left(Visitor.objects.get(site=where.site).person) == 60
    sites.site_remove(site.site)
    assert not DayHeld.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_delete_at_once_none_empties_the_day(site: sites.NewSecret) -> None:
    for number in range(4):
        sub = f"student-{number}"
        ticket(site, sub=sub)
        talked(guest(), minutes=45)
        given = {"site": site.site.public_key, "origin": ORIGIN}
        secrets = [ticket(site, sub=sub) for _ in range(3)]
        at_once(*[lambda secret=secret, given=given: ask("forget", ticket=secret, **given) for secret in secrets])
        assert not Visitor.objects.exists()
        assert DayHeld.objects.order_by("-expires_at").values_list("seconds", flat=True)[0] == 45 * 60
        assert DayHeld.objects.count() == number + 1


# --- another time zone ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_another_time_zone_takes_the_day_s_minutes_along(site: sites.NewSecret) -> None:
    ticket(site, tz="UTC", band="16-17")  # no quiet hours
    talked(guest(), minutes=90)
    ticket(site, tz="Pacific/Kiritimati", band="16-17")
    assert guest().time_zone == "Pacific/Kiritimati"
    assert UsageDay.objects.get().day == NOON.date() + timedelta(days=1)
    with pytest.raises(gate.LimitReached):
        minutes_left(guest())
    assert (audit_of(guest().id)[0].action, audit_of(guest().id)[0].actor) == (
        "time_zone_changed", f"host:{site.site.public_key}",
    )  # fmt: skip


@pytest.mark.django_db
def test_the_clock_moves_once_in_a_day(site: sites.NewSecret) -> None:
    ticket(site, tz="UTC")
    ticket(site, tz="Europe/Lisbon")
    for zone in ("Asia/Tokyo", "UTC", "Europe/Lisbon"):
        assert admitted(site, tz=zone).status_code == 200
        assert guest().time_zone == "Europe/Lisbon"
    clock.move_to(NOON + timedelta(hours=24, seconds=5))
    ticket(site, tz="Asia/Tokyo")
    assert guest().time_zone == "Asia/Tokyo"
    ticket(site, tz=None)  # type: ignore[arg-type]  # no claim: the clock stays
    assert guest().time_zone == "Asia/Tokyo"
    assert AuditEntry.objects.filter(action="time_zone_changed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_tickets_at_once_one_moves_the_clock(site: sites.NewSecret) -> None:
    ticket(site, tz="UTC")
    found = at_once(*[lambda zone=zone: ticket(site, tz=zone) for zone in ("Europe/Paris", "Asia/Tokyo")])
    assert all(isinstance(one, str) for one in found)
    assert AuditEntry.objects.filter(action="time_zone_changed").count() == 1


@pytest.mark.django_db
def test_whoever_is_gone_in_that_moment_gets_a_sentence(site: sites.NewSecret, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket(site)

    def signed_out(*_args: object, **_kwargs: object) -> User:
        raise gate.SignedOut

    monkeypatch.setattr("chatbot.accounts.guests.guest_refresh", signed_out)
    refused = admitted(site)
    assert (refused.status_code, refused.json()["code"]) == (403, "signed_out")
