"""The panel: summaries first, one hand at a time, words only for who holds them, and every look is told."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client

from chatbot.accounts import erasure
from chatbot.accounts.models import Guardianship, User
from chatbot.core import clock, keys
from chatbot.core.audit import audit_broken_at, audit_of
from chatbot.core.models import AuditEntry
from chatbot.me.looks import looks_of
from moderation.incidents import selectors, services
from moderation.incidents.jobs import claims_lapse, reports_answer
from moderation.incidents.models import Incident, IncidentEvent
from moderation.review.words import handle_of
from moderation.types import Decision, WatchState
from tests.conftest import make_teen
from tests.contracts.cast import BACKEND
from tests.second_factor import passed

WORDS = "the tangerine notebook has it all, call me at 415-555-0134, im gay"
SECRET = "tangerine"
WHY = "Talked with them and their form tutor on the phone."

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_left() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def filed(
    person: User, *, severity: int = 4, level: str | None = "L3", kind: str = "message", words: str | None = WORDS
) -> Incident:
    decision = Decision("crisis", severity, level, ("T01",), "suicide_L3", incident=True)  # type: ignore[arg-type]
    return services.incident_file(
        person_id=person.id, conversation_id=None, turn_id=uuid.uuid4(), decision=decision, excerpt=words,
        kind=kind, reason="wrong" if kind == "report" else "",  # type: ignore[arg-type]
    )  # fmt: skip


def panel(person: User) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return passed(client, person)


def at(incident: Incident, step: str = "") -> str:
    return f"/review/{incident.id}/{step}"


def text(response: object) -> str:
    return re.sub(r"\s+", " ", response.content.decode())  # type: ignore[attr-defined]


def held(client: Client, incident: Incident) -> Incident:
    assert client.post(at(incident, "claim/")).status_code == 302
    return incident


# --- what stands on the pages ----------------------------------------------------------------------------------------


def test_the_queue_shows_the_gravest_first_and_of_them_the_oldest(maya: User, leo: User, rui: User) -> None:
    low, late = filed(maya, severity=2, level="L2"), filed(leo)
    clock.move_to(clock.now() + timedelta(minutes=5))
    later = filed(maya)
    page = text(panel(rui).get("/review/"))
    places = [page.index(str(one.id)) for one in (late, later, low)]
    assert places == sorted(places)
    assert "Critical" in page
    assert "Medium" in page
    assert "suicide or self-harm" in page
    assert "intent, a recent try, or hurt now" in page


def test_the_clock_is_told_in_words(maya: User, rui: User) -> None:
    filed(maya)
    client = panel(rui)
    clock.move_to(clock.now() + timedelta(minutes=3))
    assert "due in 1" in text(client.get("/review/"))
    clock.move_to(clock.now() + timedelta(hours=3, minutes=30))
    page = text(client.get("/review/"))
    assert "late by 3 h" in page
    assert 'class="late"' in page


def test_no_page_before_the_opening_has_the_words_or_the_name(maya: User, rui: User, caplog: object) -> None:
    incident, client = filed(maya), panel(rui)
    pages = [client.get("/review/"), client.get(at(incident))]
    held(client, incident)
    pages += [client.get("/review/?show=mine"), client.get(at(incident)), client.get("/review/?show=decided")]
    for response in pages:
        shown = response.content.decode()
        assert response.status_code == 200
        assert SECRET not in shown
        assert "maya" not in shown
        assert str(maya.id) not in shown
        assert "no-store" in response.headers["Cache-Control"]
    assert handle_of(maya.id) in text(pages[0])
    assert SECRET not in caplog.text  # type: ignore[attr-defined]


def test_a_person_has_the_same_short_name_each_time_and_another_one_another(maya: User, leo: User) -> None:
    assert handle_of(maya.id) == handle_of(maya.id) != handle_of(leo.id)
    assert re.fullmatch(r"[A-Z2-7]{4}", handle_of(maya.id))


def test_filters_show_what_they_say_with_counts(maya: User, leo: User, rui: User) -> None:
    mine, other, done = filed(maya), filed(leo), filed(maya)
    client = panel(rui)
    held(client, mine)
    held(client, done)
    client.post(at(done, "decide/"), {"outcome": "talked_to", "reason": WHY})
    shown = {name: text(client.get(f"/review/?show={name}")) for name in ("open", "mine", "decided", "nonsense")}
    assert str(mine.id) in shown["open"]
    assert str(other.id) in shown["open"]
    assert str(done.id) not in shown["open"]
    assert str(mine.id) in shown["mine"]
    assert str(other.id) not in shown["mine"]
    assert str(done.id) in shown["decided"]
    assert 'Open <span class="num">2</span>' in shown["open"]
    assert 'aria-current="page">Open' in shown["nonsense"]


def test_empty_lists_say_what_will_stand_there(rui: User) -> None:
    client = panel(rui)
    assert "Nothing waits." in text(client.get("/review/"))
    assert "You hold nothing." in text(client.get("/review/?show=mine"))
    assert "Nothing was decided yet." in text(client.get("/review/?show=decided"))


# --- claims ----------------------------------------------------------------------------------------------------------


def test_a_claim_is_told_to_its_owner_and_a_second_tap_is_no_mistake(maya: User, rui: User) -> None:
    incident, client = filed(maya), panel(rui)
    held(client, incident)
    held(client, incident)
    assert [entry.action for entry in audit_of(maya.id)].count("incident_claimed") == 1
    assert "A moderator (rui) took on something" in looks_of(maya.id)[0].what


def test_the_second_of_two_moderators_is_told_who_has_it(maya: User, rui: User, olga: User) -> None:
    incident = held(panel(rui), filed(maya))
    other = panel(olga)
    response = other.post(at(incident, "claim/"))
    assert response.status_code == 409
    assert "rui has it now. Nothing was changed." in text(response)
    for step in ("excerpt/", "release/", "decide/"):
        given = {"outcome": "talked_to", "reason": WHY, "release-reason": WHY}
        answer = other.post(at(incident, step), given)
        assert answer.status_code == 409, step
        assert SECRET not in answer.content.decode()
    assert "rui has it" in text(other.get("/review/"))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_in_the_same_moment_one_is_first(maya: User, rui: User, olga: User) -> None:
    incident, together, won = filed(maya), threading.Barrier(2), []

    def try_it(who: uuid.UUID) -> None:
        together.wait()
        try:
            services.incident_claim(incident_id=incident.id, moderator_id=who)
            won.append(who)
        except services.ImpossibleMove:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_it, args=(who.id,)) for who in (rui, olga)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Incident.objects.get(id=incident.id).assignee_id == won[0]
    assert IncidentEvent.objects.filter(action="claimed").count() == 1
    assert audit_broken_at() is None


def test_a_forgotten_claim_frees_itself_and_blocks_nobody(maya: User, rui: User, olga: User) -> None:
    incident = held(panel(rui), filed(maya))
    clock.move_to(clock.now() + services.CLAIM + timedelta(seconds=1))
    late = panel(rui).post(at(incident, "decide/"), {"outcome": "talked_to", "reason": WHY})
    assert late.status_code == 409
    assert "a claim lasts 30 minutes" in text(late)
    assert WHY in text(late), "what was typed is not lost"
    other = panel(olga)
    assert "rui has it" not in text(other.get("/review/"))
    held(other, incident)
    assert Incident.objects.get().assignee_id == olga.id


def test_the_sweep_frees_what_ran_out_once(maya: User, rui: User) -> None:
    incident = held(panel(rui), filed(maya))
    assert claims_lapse() == 0
    clock.move_to(clock.now() + services.CLAIM)
    assert claims_lapse() == 1
    assert claims_lapse() == 0
    assert Incident.objects.get().state == "open"
    assert [event.action for event in selectors.incident_events(incident.id)][-2:] == ["claimed", "lapsed"]


def test_giving_back_needs_a_reason_and_may_ask_for_a_second_look(maya: User, rui: User, olga: User) -> None:
    client = panel(rui)
    incident = held(client, filed(maya))
    bare = client.post(at(incident, "release/"), {"release-reason": "no"})
    assert bare.status_code == 400
    assert "A little more" in text(bare)
    client.post(at(incident, "release/"), {"release-reason": "I know the family a bit.", "release-second_look": "on"})
    page = text(panel(olga).get(at(incident)))
    assert "I know the family a bit." in page
    assert "a colleague asks for a second look" in page
    assert "A colleague asks for a second look" in text(panel(olga).get("/review/"))
    assert Incident.objects.get().state == "open"


def test_i_need_to_stop_gives_everything_back_at_once(maya: User, leo: User, rui: User, olga: User) -> None:
    client = panel(rui)
    for person in (maya, leo):
        held(client, filed(person))
    kept = held(panel(olga), filed(maya))
    assert client.post("/review/stop/").headers["Location"] == "/review/stopped/"
    assert "2 incidents are back in the queue." in text(client.get("/review/stopped/"))
    assert [row.id for row in Incident.objects.filter(state="claimed")] == [kept.id]
    assert client.post("/review/stop/").status_code == 302, "with nothing held it is no mistake"


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
