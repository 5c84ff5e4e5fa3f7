"""The words and the decision: opened only by who holds the incident, each look told, each decision with its reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from chatbot.accounts import erasure
from chatbot.accounts.models import Guardianship, User
from chatbot.core import clock, keys
from chatbot.core.audit import audit_broken_at, audit_of
from chatbot.core.models import AuditEntry
from chatbot.me.looks import looks_of
from moderation.incidents import services
from moderation.incidents.jobs import reports_answer
from moderation.incidents.models import Incident
from moderation.types import Decision, WatchState
from tests.conftest import make_teen
from tests.contracts.cast import BACKEND
from tests.moderation.review_panel import SECRET, WHY, WORDS, at, filed, held, panel, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_left")]


# --- the words -------------------------------------------------------------------------------------------------------


def test_the_words_open_only_for_who_holds_it_masked_and_told(maya: User, rui: User) -> None:
    incident, client = filed(maya), panel(rui)
    closed = client.post(at(incident, "excerpt/"))
    assert closed.status_code == 409
    assert SECRET not in closed.content.decode()
    assert not AuditEntry.objects.filter(action="excerpt_read").exists()
    held(client, incident)
    assert "Your name stands on the person" in text(client.get(at(incident)))
    opened = client.post(at(incident, "excerpt/"))
    assert SECRET in opened.content.decode()
    assert "[phone]" in opened.content.decode()
    assert "[identity]" in opened.content.decode()
    assert "gay" not in opened.content.decode()
    assert "no-store" in opened.headers["Cache-Control"]
    assert client.get(at(incident, "excerpt/")).status_code == 405
    entry = audit_of(maya.id)[0]
    assert (entry.actor, entry.action, entry.detail["by"]) == ("moderator", "excerpt_read", "rui")
    assert SECRET not in str(entry.detail)
    look = looks_of(maya.id)[0]
    assert look.private
    assert look.what == "A moderator (rui) opened a message of yours that was flagged, and read it."
    owner = Client()
    owner.force_login(maya, backend=BACKEND)
    assert "A moderator (rui) opened a message of yours" in text(owner.get("/me/"))


def test_where_a_minor_may_have_been_used_the_way_to_report_it_stands_first(maya: User, rui: User) -> None:
    decision = Decision("support", 4, None, ("T07",), "grooming", incident=True)
    incident = services.incident_file(
        person_id=maya.id, conversation_id=None, turn_id=None, decision=decision, excerpt=WORDS, kind="message"
    )
    client = panel(rui)
    assert "NCMEC CyberTipline" in text(client.get(at(incident)))
    assert "NCMEC" not in text(client.get(at(filed(maya))))


def test_every_look_is_one_more_entry(maya: User, rui: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya))
    for _ in range(3):
        client.post(at(incident, "excerpt/"))
    assert AuditEntry.objects.filter(action="excerpt_read").count() == 3
    assert audit_broken_at() is None


def test_words_that_are_gone_break_nothing(maya: User, leo: User, rui: User) -> None:
    client = panel(rui)
    without = held(client, filed(maya, words=None))
    assert "No words were kept" in text(client.get(at(without)))
    assert client.post(at(without, "excerpt/")).status_code == 409
    keyless = held(client, filed(leo))
    keys.key_destroy(leo.id)
    for step, given in (("", None), ("excerpt/", {}), ("decide/", {"outcome": "talked_to", "reason": WHY})):
        response = client.get(at(keyless)) if given is None else client.post(at(keyless, step), given)
        assert response.status_code in (200, 404, 409), step
        assert SECRET not in response.content.decode()
    assert not AuditEntry.objects.filter(action="excerpt_read").exists()
    keys._destroyed.discard(leo.id)


def test_after_many_hard_ones_in_an_hour_there_is_a_pause_but_not_for_a_life_that_is_due(maya: User, rui: User) -> None:
    client = panel(rui)
    hard = held(client, filed(maya, severity=3))
    for _ in range(services.SEVERE_AN_HOUR):
        assert client.post(at(hard, "excerpt/")).status_code == 200
    paused = client.post(at(hard, "excerpt/"))
    assert paused.status_code == 429
    assert "Time for a pause" in text(paused)
    assert SECRET not in paused.content.decode()
    mild, urgent = held(client, filed(maya, severity=2)), held(client, filed(maya, severity=4))
    assert client.post(at(mild, "excerpt/")).status_code == 200, "the cap is on the severe"
    assert client.post(at(urgent, "excerpt/")).status_code == 429, "not due yet"
    clock.move_to(clock.now() + timedelta(minutes=12))
    assert client.post(at(urgent, "excerpt/")).status_code == 200
    clock.move_to(clock.now() + timedelta(minutes=50))
    held(client, hard)
    assert client.post(at(hard, "excerpt/")).status_code == 200


# --- deciding --------------------------------------------------------------------------------------------------------


def test_a_decision_needs_an_outcome_and_a_reason(maya: User, rui: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya))
    for given in (
        {"outcome": "talked_to"}, {"outcome": "talked_to", "reason": "ok"}, {"reason": WHY},
        {"outcome": "erase_them", "reason": WHY}, {"outcome": "talked_to", "reason": "x" * 501},
        {"outcome": "talked_to", "reason": " " * 40},
    ):  # fmt: skip
        assert client.post(at(incident, "decide/"), given).status_code == 400
    assert Incident.objects.get().state == "claimed"
    with pytest.raises(ValueError, match="outcome of the table"):
        services.incident_decide(incident_id=incident.id, moderator_id=rui.id, outcome="x", reason=WHY)


def test_the_reason_is_sealed_with_the_person_s_key(maya: User, rui: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya))
    client.post(at(incident, "decide/"), {"outcome": "handed_on", "reason": WHY})
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM incidents_incidentevent")
        assert WHY not in str([bytes(row[0]) for row in cursor.fetchall() if row[0]])
    assert WHY not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    page = text(client.get(at(incident)))
    assert WHY in page
    assert "Handed on to somebody who can do more" in page
    assert "(rui) closed something" in looks_of(maya.id)[0].what
    keys.key_destroy(maya.id)
    assert WHY not in text(client.get(at(incident)))
    keys._destroyed.discard(maya.id)


def test_who_decided_takes_it_back_within_five_minutes(maya: User, rui: User, olga: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya))
    client.post(at(incident, "decide/"), {"outcome": "false_alarm", "reason": WHY})
    assert panel(olga).post(at(incident, "undo/")).status_code == 409
    assert "Take the decision back" in text(client.get(at(incident)))
    assert client.post(at(incident, "undo/")).status_code == 302
    row = Incident.objects.get()
    assert (row.state, row.assignee_id, row.outcome, row.decided_at) == ("claimed", rui.id, "", None)
    client.post(at(incident, "decide/"), {"outcome": "talked_to", "reason": WHY})
    clock.move_to(clock.now() + services.UNDO)
    late = client.post(at(incident, "undo/"))
    assert late.status_code == 409
    assert "The five minutes are over" in text(late)
    again = client.post(at(incident, "decide/"), {"outcome": "talked_to", "reason": WHY})
    assert again.status_code == 409
    assert "It is decided already." in text(again)


def test_who_reported_a_reply_is_told_what_came_of_it_once_it_stands(maya: User, rui: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya, severity=2, level=None, kind="report"))
    assert "they think that it is wrong" in text(client.get(at(incident)))
    client.post(at(incident, "decide/"), {"outcome": "no_action", "reason": WHY})
    assert reports_answer() == 0, "it can still be taken back"
    clock.move_to(clock.now() + services.UNDO)
    assert reports_answer() == 1
    assert reports_answer() == 0
    assert looks_of(maya.id)[0].what == "A reply that you reported was looked at. You were right to say so. Thank you."
    assert incident.sla_due - incident.at <= timedelta(hours=72)


def test_home_is_safe_again_only_by_who_holds_it_and_not_on_the_person_s_own_page(maya: User, rui: User) -> None:
    services.watch_store(maya.id, WatchState(home_danger=True))
    client = panel(rui)
    incident = filed(maya)
    assert "home isn't safe" in text(client.get(at(incident)))
    early = client.post(at(incident, "home-safe/"), {"home-reason": WHY})
    assert early.status_code == 409
    held(client, incident)
    assert client.post(at(incident, "home-safe/"), {"home-reason": "short"}).status_code == 400
    assert services.watch_load(maya.id).home_danger
    client.post(at(incident, "home-safe/"), {"home-reason": WHY})
    assert not services.watch_load(maya.id).home_danger
    entry = AuditEntry.objects.get(action="home_danger_lifted")
    assert (entry.subject_id, entry.detail["by"]) == (None, "rui")
    assert not any("home" in look.what.lower() for look in looks_of(maya.id))


# --- who may not, who is gone, too fast ------------------------------------------------------------------------------


def test_nobody_reviews_their_own(maya: User, rui: User) -> None:
    incident = filed(maya)
    Guardianship.objects.create(teen=maya, guardian=rui, state="active")
    own = filed(rui)
    client = panel(rui)
    for one in (incident, own):
        assert str(one.id) not in text(client.get("/review/"))
        assert client.get(at(one)).status_code == 403
        for step in ("claim/", "excerpt/", "decide/", "release/", "undo/", "home-safe/"):
            assert client.post(at(one, step), {"outcome": "talked_to", "reason": WHY}).status_code == 403, step


STEPS: dict[str, dict[str, str]] = {
    "claim/": {}, "excerpt/": {}, "undo/": {}, "decide/": {"outcome": "talked_to", "reason": WHY},
    "release/": {"release-reason": WHY}, "home-safe/": {"home-reason": WHY},
}  # fmt: skip


def _never_was(incident: Incident, person: User) -> None:
    Incident.objects.all().delete()


def _erased(incident: Incident, person: User) -> None:
    erasure.erasure_run(person.id)


def _being_erased(incident: Incident, person: User) -> None:
    erasure.erasure_ask(actor=person, person=person)


@pytest.mark.parametrize("gone", [_never_was, _erased, _being_erased])
def test_an_incident_whose_person_was_erased_says_so_and_open_tabs_break_nothing(
    gone: Callable[[Incident, User], None], rui: User
) -> None:
    tess = make_teen("tess", age=15)
    client = panel(rui)
    incident = held(client, filed(tess))
    gone(incident, tess)
    assert str(incident.id) not in text(client.get("/review/"))
    page = client.get(at(incident))
    assert page.status_code == 404
    assert "its person deleted their account" in text(page)
    for step, given in STEPS.items():
        response = client.post(at(incident, step), given)
        assert response.status_code == 404, step
        assert SECRET not in response.content.decode()
    assert not AuditEntry.objects.filter(action="excerpt_read").exists()
    keys._destroyed.discard(tess.id)


def test_forms_sent_too_fast_are_slowed_and_pages_are_not(maya: User, rui: User) -> None:
    client = panel(rui)
    clock.move_to(clock.now().replace(second=0))
    for _ in range(40):
        client.post("/review/stop/")
    slow = client.post("/review/stop/")
    assert slow.status_code == 429
    assert "Wait a minute" in text(slow)
    assert client.get("/review/").status_code == 200


def test_filing_masks_who_somebody_loves_before_it_is_kept(maya: User) -> None:
    incident = filed(maya, words="my mom found out im a lesbian, my period is late")
    assert incident.excerpt == "my mom found out im a [identity], my period is late"
