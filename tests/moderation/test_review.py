"""The panel's queue and its claims: summaries first, one hand at a time."""

from __future__ import annotations

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections

from chatbot.accounts.models import User
from chatbot.core import clock
from chatbot.core.audit import audit_broken_at, audit_of
from chatbot.me.looks import looks_of
from moderation.incidents import selectors, services
from moderation.incidents.jobs import claims_lapse
from moderation.incidents.models import Incident, IncidentEvent
from moderation.review.words import handle_of
from tests.conftest import make_teen
from tests.moderation.review_panel import SECRET, WHY, at, filed, held, panel, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_left")]


# --- what stands on the pages ----------------------------------------------------------------------------------------


def test_the_queue_shows_the_gravest_first_and_of_them_the_oldest(maya: User, leo: User, rui: User) -> None:
    low, late = filed(make_teen("tess", age=15), severity=2, level="L2"), filed(leo)
    clock.move_to(clock.now() + timedelta(minutes=5))
    later = filed(maya)
    page = text(panel(rui).get("/review/"))
    places = [page.index(str(one.id)) for one in (late, later, low)]
    assert places == sorted(places)
    assert "Critical" in page
    assert "Medium" in page
    assert "Suicide or self-harm" in page
    assert "intent, a recent try, or hurt now" in page


def test_times_name_their_clock_beside_them(maya: User, rui: User) -> None:
    one, client = filed(maya), panel(rui)
    User.objects.filter(id=rui.id).update(time_zone="America/Sao_Paulo")
    named = 'Times are on this clock: America/Sao_Paulo. <a href="/me/">Change it</a>'
    for path, after in (("/review/", 'class="list queue"'), (at(one), "What was done")):
        page = text(client.get(path))
        assert page.index(named) < page.index(after)
    one.delete()
    assert named not in text(client.get("/review/")), "no time, no clock"


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
