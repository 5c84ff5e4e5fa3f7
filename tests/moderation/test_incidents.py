"""Incidents: filed once, moved by one hand at a time, kept no longer than they may be; checks of helplines are kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from chatbot.accounts.models import User
from chatbot.core import clock
from moderation.crisis import verified_put
from moderation.crisis.helplines import age_of, helplines
from moderation.incidents import selectors, services
from moderation.incidents.jobs import expire, helplines_checked
from moderation.incidents.models import Incident
from moderation.types import Decision, WatchState

DANGER = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self", low=True)
WHY = "We talked on the phone, and all is well."

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_checks() -> Iterator[None]:
    yield
    verified_put({})


def _filed(person: User, *, text: str = "call me at 415-555-0134", turn: uuid.UUID | None = None) -> Incident:
    return services.incident_file(
        person_id=person.id, conversation_id=None, turn_id=turn, decision=DANGER, excerpt=text, kind="message"
    )


def test_a_turn_taken_up_again_files_one_incident(maya: User) -> None:
    turn = uuid.uuid4()
    assert _filed(maya, turn=turn).id == _filed(maya, turn=turn).id
    assert len(selectors.incidents_waiting()) == 1


def test_an_excerpt_is_masked_short_and_sealed(maya: User) -> None:
    incident = _filed(maya, text="i want to die, call me at 415-555-0134 " + "x" * 900)
    assert incident.excerpt is not None
    assert "[phone]" in incident.excerpt
    assert len(incident.excerpt) <= services.EXCERPT_CHARS
    with connection.cursor() as cursor:
        cursor.execute("SELECT excerpt FROM incidents_incident")
        assert "die" not in str(cursor.fetchone()[0])


def test_two_moderators_cannot_hold_one_incident(maya: User, rui: User, olga: User) -> None:
    incident = _filed(maya)
    services.incident_claim(incident_id=incident.id, moderator_id=rui.id)
    with pytest.raises(services.ImpossibleMove):
        services.incident_claim(incident_id=incident.id, moderator_id=olga.id)
    with pytest.raises(services.ImpossibleMove):
        services.incident_decide(incident_id=incident.id, moderator_id=olga.id, outcome="false_alarm", reason=WHY)
    services.incident_release(incident_id=incident.id, moderator_id=rui.id)
    services.incident_claim(incident_id=incident.id, moderator_id=olga.id)
    services.incident_decide(incident_id=incident.id, moderator_id=olga.id, outcome="talked_to", reason=WHY)
    done = [event.action for event in selectors.incident_events(incident.id) if event.actor != "house"]
    assert done == ["claimed", "released", "claimed", "talked_to"]
    assert not selectors.incidents_waiting()
    assert not selectors.incident_open_for(maya.id)


def test_an_unclaimed_incident_cannot_be_decided(maya: User, rui: User) -> None:
    incident = _filed(maya)
    with pytest.raises(services.ImpossibleMove):
        services.incident_decide(incident_id=incident.id, moderator_id=rui.id, outcome="false_alarm", reason=WHY)
    assert selectors.incident_open_for(maya.id)


def test_what_nobody_looked_at_in_time_is_overdue(maya: User) -> None:
    _filed(maya)
    assert selectors.incidents_overdue(clock.now()) == []
    assert len(selectors.incidents_overdue(clock.now() + timedelta(minutes=16))) == 1


def test_only_decided_incidents_expire(maya: User, rui: User) -> None:
    incident = _filed(maya)
    _filed(maya)
    services.incident_claim(incident_id=incident.id, moderator_id=rui.id)
    services.incident_decide(incident_id=incident.id, moderator_id=rui.id, outcome="talked_to", reason=WHY)
    Incident.objects.update(at=clock.now() - timedelta(days=services.DAYS + 1))
    expire()
    assert [left.state for left in Incident.objects.all()] == ["open"]


def test_a_watch_is_kept_and_an_empty_one_is_not_written(maya: User) -> None:
    services.watch_store(maya.id, WatchState())
    assert services.watch_load(maya.id) == WatchState()
    services.watch_store(maya.id, WatchState(level="L2", home_danger=True, lows=1))
    assert services.watch_load(maya.id) == WatchState(level="L2", home_danger=True, lows=1)
    services.home_danger_lift(person_id=maya.id, actor="rui")
    assert not services.watch_load(maya.id).home_danger
    services.person_forget(maya.id)
    assert services.watch_load(maya.id) == WatchState()


def test_referrals_are_counted_without_persons() -> None:
    services.referral_count(region="US-CA", category="T01", band="13-15")
    services.referral_count(region="US-CA", category="T01", band="13-15")
    (row,) = selectors.referrals_of_year(clock.now().year)
    assert (row.region, row.category, row.band, row.count) == ("US-CA", "T01", "13-15", 2)
    assert not {field.name for field in row._meta.get_fields()} & {"person", "person_id", "user", "user_id"}


def test_a_check_of_a_line_reaches_the_cards() -> None:
    row = helplines().lines[0]
    today = clock.now().date()
    services.helpline_check(line=row.id, right=True, actor="olga")
    assert helplines_checked() == 1
    assert age_of(row, today) == "fresh"
    services.helpline_check(line=row.id, right=False, actor="olga")
    helplines_checked()
    with pytest.raises(KeyError):
        services.helpline_check(line="no-such-line", right=True, actor="olga")


def test_the_command_records_and_lists_checks() -> None:
    row = next(row for row in helplines().lines if row.country == "BR")
    call_command("helpline", row.id, "--right", "--by", "olga", stdout=StringIO())
    listed = StringIO()
    call_command("helpline", "--country", "br", stdout=listed)
    assert any(line.startswith(row.id) and "fresh" in line for line in listed.getvalue().splitlines())
    assert "US " not in listed.getvalue()


@pytest.mark.parametrize(("words", "error"), [(["br-none", "--right"], "no line"), (["br-none"], "say what you found")])
def test_the_command_refuses_what_it_cannot_record(words: list[str], error: str) -> None:
    with pytest.raises(CommandError, match=error):
        call_command("helpline", *words, stdout=StringIO())
