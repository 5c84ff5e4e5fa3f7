"""While home may be the danger, what the guardian sees looks the same with and without it: byte for byte (4.9)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chatbot.accounts import oversight
from chatbot.accounts.erasure import erasure_ask_for, erasures_due
from chatbot.accounts.models import ErasureRequest, UsageDay, User
from chatbot.core import clock, jobs
from moderation.incidents.models import Incident
from moderation.incidents.services import incident_file, watch_load, watch_store
from moderation.types import Decision
from tests.family.conftest import SignIn

# Jobs and sweeps close their connection behind them.
pytestmark = pytest.mark.django_db(transaction=True)
GRAVE = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self")
ADDRESSES = ("/family/", "/family/{}/", "/family/{}/limits/", "/family/code/", "/me/", "/me/privacy/", "/me/export/")


def home_is_the_danger(teen: User) -> None:
    before = watch_load(teen.id)
    watch_store(teen.id, replace(before, home_danger=True), before=before)


def flagged(teen: User) -> Incident:
    return incident_file(
        person_id=teen.id, conversation_id=None, turn_id=None, decision=GRAVE, excerpt="words", kind="message"
    )


def pages(client: Client, teen: User) -> dict[str, bytes]:
    """Everything that the guardian can open, without what is new in each answer."""
    found = {}
    for address in ADDRESSES:
        response = client.get(address.format(teen.id))
        assert response.status_code == 200, address
        found[address] = re.sub(rb'(csrfmiddlewaretoken" value=|nonce=)"[^"]+"', rb"\1", response.content)
    return found


@pytest.fixture
def maya_used(maya: User, ana: User) -> User:
    """Maya, who has been linked for three weeks and chatted on most days."""
    maya.guardianships.update(since=clock.now() - timedelta(days=21))
    for back in range(1, 14):
        UsageDay.objects.create(person=maya, day=clock.now().date() - timedelta(days=back), seconds=back * 240, turns=9)
    return maya


def test_the_pages_are_the_same_with_and_without_it(maya_used: User, ana: User, sign_in: SignIn) -> None:
    before = pages(sign_in(ana), maya_used)
    assert b"Minutes a day" in before["/family/{}/"]
    home_is_the_danger(maya_used)
    flagged(maya_used)
    jobs.drain()
    clock.move_to(clock.now() + timedelta(minutes=2))
    jobs.run_sweeps()
    assert pages(sign_in(ana), maya_used) == before


def test_they_stay_the_same_as_of_a_teen_whose_home_is_safe_over_the_days_that_follow(
    maya_used: User, ana: User, sign_in: SignIn
) -> None:
    """The same talk on the next days, with and without: no day is hidden, none is made up."""
    home_is_the_danger(maya_used)
    with_it = _the_days_after(maya_used, ana, sign_in)
    before = watch_load(maya_used.id)
    watch_store(maya_used.id, replace(before, home_danger=False), before=before)
    assert _days(pages(sign_in(ana), maya_used)) == _days(with_it)


def _the_days_after(teen: User, guardian: User, sign_in: SignIn) -> dict[str, bytes]:
    clock.move_to(clock.now() + timedelta(days=2))
    UsageDay.objects.create(person=teen, day=clock.now().date() - timedelta(days=1), seconds=1500, turns=9)
    return pages(sign_in(guardian), teen)


def _days(found: dict[str, bytes]) -> bytes:
    return found["/family/{}/"]


def test_today_is_told_to_nobody_at_home(maya_used: User, ana: User, sign_in: SignIn) -> None:
    before = pages(sign_in(ana), maya_used)
    UsageDay.objects.create(person=maya_used, day=clock.now().date(), seconds=3000, turns=40)
    assert pages(sign_in(ana), maya_used)["/family/{}/"] == before["/family/{}/"]


def test_no_mail_goes_out(maya_used: User, ana: User, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    ana.email = "ana@example.org"
    ana.save()
    home_is_the_danger(maya_used)
    flagged(maya_used)
    jobs.drain()
    jobs.run_sweeps()
    assert mail.outbox == []


def test_an_alert_that_their_page_has_shown_stays_there(maya_used: User, ana: User, sign_in: SignIn) -> None:
    flagged(maya_used)
    jobs.drain()
    clock.move_to(clock.now() + timedelta(minutes=2))
    before = pages(sign_in(ana), maya_used)
    assert b"Please check on them now." in before["/family/{}/"]
    home_is_the_danger(maya_used)
    flagged(maya_used)
    jobs.drain()
    jobs.run_sweeps()
    assert pages(sign_in(ana), maya_used) == before


def test_an_alert_that_nobody_was_told_of_yet_is_held_back(maya_used: User, ana: User, sign_in: SignIn) -> None:
    before = pages(sign_in(ana), maya_used)
    flagged(maya_used)
    jobs.drain()
    home_is_the_danger(maya_used)
    flagged(maya_used)
    jobs.drain()
    jobs.run_sweeps()
    assert pages(sign_in(ana), maya_used) == before


def test_the_view_reads_neither_watch_nor_incident(maya_used: User, ana: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        oversight.seen_by_guardian(maya_used.guardianships.get(), now=clock.now())
    assert asked.captured_queries
    for query in asked.captured_queries:
        for table in ("incidents_", "chat_", "memory_memory", "core_audit"):
            assert table not in query["sql"]


def test_a_guardian_s_request_to_delete_waits_for_staff_and_does_not_say_so(
    maya_used: User, ana: User, sign_in: SignIn
) -> None:
    erasure_ask_for(guardian=ana, teen_id=maya_used.id)
    safe = pages(sign_in(ana), maya_used)
    home_is_the_danger(maya_used)
    incident = flagged(maya_used)
    jobs.drain()
    assert pages(sign_in(ana), maya_used) == safe
    clock.move_to(clock.now() + timedelta(days=8))
    assert erasures_due() == 0
    assert User.objects.filter(id=maya_used.id, is_active=True).exists()
    Incident.objects.filter(id=incident.id).update(state="decided")
    assert erasures_due() == 1
    assert not User.objects.filter(id=maya_used.id).exists()
    assert ErasureRequest.objects.get().erased_at is not None
