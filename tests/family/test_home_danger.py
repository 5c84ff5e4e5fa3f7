"""While home may be the danger, what the guardian sees looks the same with and without it: byte for byte (4.9)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chatbot.accounts import oversight
from chatbot.accounts import services as people
from chatbot.accounts.erasure import erasure_ask_for, erasures_due
from chatbot.accounts.models import AlertKind, ErasureRequest, GuardianAlert, Guardianship, UsageDay, User
from chatbot.core import clock, jobs
from chatbot.core.audit import audit_of
from chatbot.core.locks import hold
from chatbot.family import alerts
from moderation.incidents import services
from moderation.incidents.models import Incident
from moderation.incidents.selectors import incident_events
from moderation.incidents.services import home_danger_lift, incident_file, watch_load, watch_store
from moderation.review.words import DONE
from moderation.types import Decision
from tests.at_once import at_once, came
from tests.family.conftest import SignIn
from tests.me.copies import copy_of

# Jobs and sweeps close their connection behind them.
pytestmark = pytest.mark.django_db(transaction=True)
GRAVE = Decision("crisis", 4, "L3", ("T01",), "suicide_L3", incident=True, about="self")
ASKED = "A parent or carer was asked to look after you"
ADDRESSES = ("/family/", "/family/{}/", "/family/{}/limits/", "/family/code/", "/me/", "/me/privacy/", "/me/export/")


def home_is_the_danger(teen: User) -> None:
    before = watch_load(teen.id)
    watch_store(teen.id, replace(before, home_danger=True), before=before)


def flagged(teen: User) -> Incident:
    return incident_file(
        person_id=teen.id, conversation_id=None, turn_id=None, decision=GRAVE, excerpt="words", kind="message"
    )


def asked(teen: User) -> Incident:
    """A grave word, and what comes of it: an alert of which the guardian was not told yet."""
    incident = flagged(teen)
    jobs.drain()
    assert GuardianAlert.objects.get(incident_id=incident.id).mailed_at is None
    return incident


def done(incident: Incident) -> list[str]:
    """What staff read of a guardian being asked."""
    return [event.action for event in incident_events(incident.id) if event.action.startswith("guardian_")]


def told(teen: User) -> int:
    """How often it stands on the teen's own page that a guardian was asked."""
    return [entry.action for entry in audit_of(teen.id)].count("guardian_alerted")


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


def test_one_word_about_home_holds_back_what_nobody_was_told_of_yet(
    maya_used: User, ana: User, sign_in: SignIn
) -> None:
    """Nothing else is said after it, and nothing that would have a guardian asked."""
    grown, teen = sign_in(ana), sign_in(maya_used)
    before = pages(grown, maya_used)
    incident = asked(maya_used)
    home_is_the_danger(maya_used)
    assert pages(grown, maya_used) == before
    assert "Please check on them now" not in teen.get("/me/guardian/").content.decode()
    assert ASKED not in teen.get("/me/privacy/").content.decode()
    assert told(maya_used) == 0
    assert done(incident) == ["guardian_told", "guardian_held_back"]
    assert set(done(incident)) <= set(DONE)  # in words, on their page


def test_it_is_held_back_with_the_watch_or_not_at_all(maya_used: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(maya_used)

    def broken(person_id: uuid.UUID) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(services, "adults_hold", broken)
    with pytest.raises(RuntimeError):
        home_is_the_danger(maya_used)
    assert not watch_load(maya_used.id).home_danger
    monkeypatch.undo()
    home_is_the_danger(maya_used)
    assert GuardianAlert.objects.get().held


def test_home_became_safe_and_then_unsafe_again(maya_used: User) -> None:
    home_is_the_danger(maya_used)
    home_danger_lift(person_id=maya_used.id, actor="rui")
    asked(maya_used)
    assert not GuardianAlert.objects.get().held
    home_is_the_danger(maya_used)
    assert GuardianAlert.objects.get().held


def test_of_two_guardians_it_is_held_back_from_the_one_who_was_not_told(
    maya_used: User, ana: User, bruno: User, zoe: User, sign_in: SignIn
) -> None:
    people.guardianship_start(teen=maya_used, guardian=zoe)
    other = Guardianship.objects.get(guardian=bruno)
    oversight.alert_file(other, incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=clock.now())
    incident = flagged(maya_used)
    jobs.drain()
    assert b"Please check on them now." in pages(sign_in(zoe), maya_used)["/family/{}/"]
    home_is_the_danger(maya_used)
    assert b"Please check on them now." in pages(sign_in(zoe), maya_used)["/family/{}/"]
    assert b"Please check on them now." not in pages(sign_in(ana), maya_used)["/family/{}/"]
    assert not other.alerts.get().held  # of another teen
    assert (told(maya_used), done(incident)) == (1, ["guardian_told", "guardian_held_back"])


def test_the_watch_is_held_still_while_it_is_decided_whether_to_ask(
    maya_used: User, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL home could become the danger between the look at it and the alert."""
    held: list[str] = []
    load = services.watch_load

    def noted(name: str) -> None:
        held.append(name)
        hold(name)

    def read(person_id: uuid.UUID) -> object:
        held.append("read")
        return load(person_id)

    incident = flagged(maya_used)
    monkeypatch.setattr(services, "hold", noted)
    monkeypatch.setattr(services, "watch_load", read)
    assert alerts.alert_make(incident.id) == 1
    assert held[:2] == [f"watch of {maya_used.id}", "read"]


def test_an_alert_that_is_made_while_home_becomes_the_danger_is_held_back(maya_used: User, ana: User) -> None:
    incident = flagged(maya_used)
    came(at_once(lambda: alerts.alert_make(incident.id), lambda: home_is_the_danger(maya_used)))
    assert GuardianAlert.objects.get().held
    assert "guardian_told" != done(incident)[-1]


def mailed_to(guardian: User, settings: Settings) -> None:
    """From now on mails are sent, and this guardian has an address."""
    settings.EMAIL_URL = "smtp://localhost"
    guardian.email = "ana@example.org"
    guardian.save()


def under_way(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object], *, arrives: bool) -> None:
    """What happens while the next mail is being sent, and whether it then goes out."""
    send = alerts._send

    def sending(guardian: User) -> None:
        meanwhile()
        if not arrives:
            raise ConnectionResetError
        send(guardian)

    monkeypatch.setattr(alerts, "_send", sending)


def test_a_mail_that_was_lost_is_not_sent_any_more(maya_used: User, ana: User, settings: Settings) -> None:
    asked(maya_used)
    mailed_to(ana, settings)
    assert len(alerts.mails_waiting()) == 1
    home_is_the_danger(maya_used)
    assert alerts.mails_waiting() == []
    jobs.run_sweeps()
    assert mail.outbox == []


def test_a_mail_that_went_out_is_told_to_the_teen_once(
    maya_used: User, ana: User, sign_in: SignIn, settings: Settings
) -> None:
    mailed_to(ana, settings)
    flagged(maya_used)
    jobs.drain()
    jobs.run_sweeps()
    assert len(mail.outbox) == 1
    assert told(maya_used) == 1
    assert ASKED in sign_in(maya_used).get("/me/privacy/").content.decode()
    before = pages(sign_in(ana), maya_used)
    home_is_the_danger(maya_used)
    assert b"Please check on them now." in before["/family/{}/"]
    assert pages(sign_in(ana), maya_used) == before
    assert told(maya_used) == 1


def test_who_read_it_while_a_mail_failed_has_read_it(
    maya_used: User, ana: User, sign_in: SignIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(maya_used)
    mailed_to(ana, settings)
    seen: list[dict[str, bytes]] = []
    under_way(monkeypatch, lambda: seen.append(pages(sign_in(ana), maya_used)), arrives=False)
    with pytest.raises(ConnectionResetError):
        alerts.mail_send(GuardianAlert.objects.get().id)
    assert b"Please check on them now." in seen[0]["/family/{}/"]
    home_is_the_danger(maya_used)
    assert pages(sign_in(ana), maya_used)["/family/{}/"] == seen[0]["/family/{}/"]
    assert (alerts.mails_waiting(), told(maya_used)) == ([], 1)


def test_home_became_the_danger_while_a_mail_failed(
    maya_used: User, ana: User, sign_in: SignIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages(sign_in(ana), maya_used)["/family/{}/"]
    asked(maya_used)
    mailed_to(ana, settings)
    under_way(monkeypatch, lambda: home_is_the_danger(maya_used), arrives=False)
    with pytest.raises(ConnectionResetError):
        alerts.mail_send(GuardianAlert.objects.get().id)
    monkeypatch.undo()
    assert (alerts.mails_waiting(), alerts.mail_send(GuardianAlert.objects.get().id)) == ([], False)
    assert mail.outbox == []
    assert pages(sign_in(ana), maya_used)["/family/{}/"] == before
    assert told(maya_used) == 0


def test_home_became_the_danger_while_a_mail_went_out(
    maya_used: User, ana: User, sign_in: SignIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail that leads to nothing would be the sign."""
    incident = asked(maya_used)
    mailed_to(ana, settings)
    under_way(monkeypatch, lambda: home_is_the_danger(maya_used), arrives=True)
    assert alerts.mail_send(GuardianAlert.objects.get().id)
    assert b"Please check on them now." in pages(sign_in(ana), maya_used)["/family/{}/"]
    assert (len(mail.outbox), told(maya_used)) == (1, 1)
    assert done(incident) == ["guardian_told", "guardian_held_back", "guardian_told"]


def test_of_two_workers_one_writes_the_mail(
    maya_used: User, ana: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(maya_used)
    mailed_to(ana, settings)
    alert = GuardianAlert.objects.get().id
    under_way(monkeypatch, lambda: time.sleep(0.5), arrives=True)
    assert sorted(came(at_once(*[lambda: alerts.mail_send(alert)] * 3))) == [False, False, True]
    assert (len(mail.outbox), alerts.mail_send(alert), told(maya_used)) == (1, False, 1)


def test_two_pages_at_once_tell_the_teen_once(maya_used: User, ana: User) -> None:
    asked(maya_used)
    link = maya_used.guardianships.get()
    views = came(at_once(*[lambda: oversight.shown_to_guardian(link, now=clock.now())] * 3))
    assert [len(view.alerts) for view in views] == [1, 1, 1]
    assert told(maya_used) == 1


def test_an_alert_that_comes_while_a_page_is_made_is_not_on_it(
    maya_used: User, ana: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be shown, and could be held back all the same."""
    tell = oversight._told

    def late(*args: object) -> None:
        tell(*args)  # type: ignore[arg-type]  # handed on
        if not GuardianAlert.objects.exists():
            asked(maya_used)

    monkeypatch.setattr(oversight, "_told", late)
    page = sign_in(ana).get(f"/family/{maya_used.id}/").content.decode()
    assert GuardianAlert.objects.get().mailed_at is None
    assert "Please check on them now." not in page
    assert "Please check on them now." in sign_in(ana).get(f"/family/{maya_used.id}/").content.decode()


def test_a_copy_tells_a_guardian_nothing_that_could_be_held_back_yet(
    maya_used: User, ana: User, sign_in: SignIn
) -> None:
    asked(maya_used)
    for person in (ana, maya_used):
        assert '"alerts": []' in copy_of(sign_in(person)), person
        assert "asked to look after you" not in copy_of(sign_in(person), "html"), person
    home_is_the_danger(maya_used)
    assert '"alerts": []' in copy_of(sign_in(ana))
    assert told(maya_used) == 0


def test_a_copy_has_what_a_page_has_shown(maya_used: User, ana: User, sign_in: SignIn) -> None:
    asked(maya_used)
    assert sign_in(ana).get("/family/").status_code == 200
    for person in (ana, maya_used):
        assert '"alerts": []' not in copy_of(sign_in(person)), person
    home_is_the_danger(maya_used)
    assert '"alerts": []' not in copy_of(sign_in(ana))


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
