"""Many incidents: nobody pushes anybody else out of the queue, and every one of them can be reached."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from chatbot.accounts import erasure
from chatbot.accounts.models import Guardianship, User
from chatbot.core import clock
from moderation.incidents import selectors as incidents
from moderation.incidents import services
from moderation.incidents.models import Incident
from moderation.review import selectors
from moderation.review.words import handle_of
from tests.conftest import make_teen
from tests.moderation.review_panel import WHY, at, filed, held, panel, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_left")]


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three."""
    monkeypatch.setattr(selectors, "A_PAGE", 3)


short = pytest.mark.usefixtures("_short")


def shown(client: Client, query: str = "") -> list[str]:
    """The incidents that a page of the list leads to, in its order."""
    return re.findall(r'class="go" href="/review/([0-9a-f-]{36})/"', text(client.get(f"/review/{query}")))


def people(number: int) -> list[User]:
    return [make_teen(f"teen{place}", age=15) for place in range(number)]


@short
def test_somebody_who_writes_a_lot_pushes_nobody_out_of_sight(maya: User, leo: User, rui: User) -> None:
    many = [filed(maya, level="L4") for _ in range(8)]
    clock.move_to(clock.now() + timedelta(minutes=5))
    one, client = filed(leo, level="L3"), panel(rui)
    assert shown(client) == [str(many[0].id), str(one.id)]
    page = text(client.get("/review/"))
    assert 'Open <span class="num">2</span>' in page
    assert f'href="/review/?of={many[0].id}">7 more of teen {handle_of(maya.id)} wait</a>' in page
    assert f"of teen {handle_of(leo.id)} wait" not in page
    reached = [shown(client, f"?of={many[0].id}&page={number}") for number in (1, 2, 3)]
    assert [len(rows) for rows in reached] == [3, 3, 2]
    assert [row for rows in reached for row in rows] == [str(one.id) for one in many]
    assert f"7 more of teen {handle_of(maya.id)} wait" in text(client.get(at(many[3])))


def test_one_more_is_said_in_the_singular_and_what_is_decided_counts_no_more(maya: User, rui: User) -> None:
    client = panel(rui)
    first, second = held(client, filed(maya, level="L4")), filed(maya)
    assert f"1 more of teen {handle_of(maya.id)} waits" in text(client.get("/review/"))
    client.post(at(first, "decide/"), {"outcome": "talked_to", "reason": WHY})
    assert "more of teen" not in text(client.get("/review/"))
    assert shown(client) == [str(second.id)]
    assert f"1 more of teen {handle_of(maya.id)} waits" in text(client.get(at(first))), "the way on from what is done"
    assert shown(client, f"?of={first.id}") == [str(second.id)]
    Incident.objects.filter(id=second.id).update(state="decided")
    assert "Nothing of this person waits any more." in text(client.get(f"/review/?of={first.id}"))


def test_the_gravest_stands_for_the_person_whoever_holds_it(maya: User, rui: User, olga: User) -> None:
    filed(maya, severity=2, level="L2")
    worst = held(panel(olga), filed(maya, level="L4"))
    filed(maya, severity=3)
    assert shown(panel(rui)) == [str(worst.id)]


def test_a_claim_hides_no_other_that_is_as_grave(maya: User, rui: User, olga: User) -> None:
    old = held(panel(olga), filed(maya))
    clock.move_to(clock.now() + timedelta(minutes=1))
    new = filed(maya)
    assert shown(panel(rui)) == [str(new.id)]
    clock.move_to(clock.now() + services.CLAIM)
    assert shown(panel(rui)) == [str(old.id)], "a claim that ran out is nobody's"


def test_a_second_look_is_asked_for_on_the_row_that_stands_for_it(maya: User, rui: User, olga: User) -> None:
    mild = held(panel(olga), filed(maya, severity=2, level="L2"))
    services.incident_release(incident_id=mild.id, moderator_id=olga.id, reason=WHY, second_look=True)
    worst = filed(maya)
    client = panel(rui)
    assert shown(client) == [str(worst.id)]
    assert "A colleague asks for a second look" in text(client.get("/review/"))
    assert "asks for a second look" not in text(client.get(at(worst)))


@short
@pytest.mark.parametrize("show", ["open", "mine", "decided"])
def test_what_may_not_be_seen_takes_up_no_place(show: str, maya: User, rui: User) -> None:
    """The moderator's own, of their family, of somebody who is being erased, of nobody."""
    tess, uma, nobody = make_teen("tess", age=15), make_teen("uma", age=15), make_teen("vic", age=15)
    for person in (rui, tess, uma, nobody):
        filed(person, level="L4")
    Guardianship.objects.create(teen=tess, guardian=rui, state="active")
    erasure.erasure_ask(actor=uma, person=uma)
    User.objects.filter(id=nobody.id).delete()
    clock.move_to(clock.now() + timedelta(minutes=1))
    one, now = filed(maya), clock.now()
    changes = {
        "open": {},
        "mine": {"state": "claimed", "assignee_id": rui.id, "claimed_until": now + services.CLAIM},
        "decided": {"state": "decided", "assignee_id": rui.id, "decided_at": now},
    }[show]
    if changes:
        Incident.objects.update(**changes)
    client = panel(rui)
    assert shown(client, f"?show={show}") == [str(one.id)]
    page = text(client.get(f"/review/?show={show}"))
    assert f'?show={show}" aria-current="page">' in page
    assert re.search(rf'\?show={show}" aria-current="page">[^<]+<span class="num">1</span>', page)
    assert "Page 1 of" not in page


def test_an_account_that_was_only_shut_stays_in_the_queue(maya: User, rui: User) -> None:
    one = filed(maya)
    User.objects.filter(id=maya.id).update(is_active=False)
    assert shown(panel(rui)) == [str(one.id)]


@short
def test_the_pages_are_led_to_and_one_that_is_not_there_is_the_nearest(rui: User) -> None:
    rows, client = [str(filed(person).id) for person in people(7)], panel(rui)
    assert [shown(client, f"?page={number}") for number in (1, 2, 3)] == [rows[:3], rows[3:6], rows[6:]]
    first, second, third = (text(client.get(f"/review/?page={number}")) for number in (1, 2, 3))
    assert "Page 2 of 3" in second
    assert 'rel="prev" href="/review/?show=open&amp;page=1"' in second
    assert 'rel="next" href="/review/?show=open&amp;page=3"' in second
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in third
    for odd, nearest in (("", 0), ("0", 6), ("-1", 6), ("4", 6), ("x", 0), ("1.5", 0), ("9" * 5000, 0), ("%00", 0)):
        start = nearest
        assert shown(client, f"?page={odd}") == rows[start : start + 3], odd


@short
def test_what_was_decided_and_what_one_holds_have_pages_too(rui: User) -> None:
    client = panel(rui)
    rows = [held(client, filed(person)) for person in people(4)]
    assert [len(shown(client, f"?show=mine&page={number}")) for number in (1, 2)] == [3, 1]
    for row in rows:
        client.post(at(row, "decide/"), {"outcome": "talked_to", "reason": WHY})
        clock.move_to(clock.now() + timedelta(seconds=1))
    latest = [str(row.id) for row in reversed(rows)]
    assert [shown(client, f"?show=decided&page={number}") for number in (1, 2)] == [latest[:3], latest[3:]]


def _writes(person: User, language: str) -> User:
    person.language = language
    person.save(update_fields=["language"])
    return person


@short
def test_one_language_is_chosen_by_the_address_and_stays_chosen(rui: User) -> None:
    english, brazilian = people(2), [_writes(make_teen(f"gente{place}", age=15), "pt-BR") for place in range(4)]
    rows = {"en": [str(filed(one).id) for one in english], "pt-br": [str(filed(one).id) for one in brazilian]}
    client = panel(rui)
    assert shown(client, "?language=en") == rows["en"]
    assert shown(client, "?language=pt-br") == rows["pt-br"][:3]
    assert shown(client, "?language=pt-br&page=2") == rows["pt-br"][3:]
    page = text(client.get("/review/?language=pt-br"))
    assert 'Open <span class="num">4</span>' in page
    for kept in ("show=mine&amp;language=pt-br", "show=open&amp;language=pt-br&amp;page=2"):
        assert f'href="/review/?{kept}"' in page
    assert 'href="/review/?show=open&amp;language=pt-br" lang="pt-br" aria-current="true"' in page
    assert '2 more in other languages. <a href="/review/?show=open">Show them all</a>' in page
    for odd in ("", "xx", "PT-BR", "%00", "e" * 5000):
        assert len(shown(client, f"?language={odd}&page=1")) == 3, odd
        assert "more in" not in text(client.get(f"/review/?language={odd}"))


def test_a_language_that_nobody_waits_in_says_so_and_what_it_hides(maya: User, rui: User, olga: User) -> None:
    client = panel(rui)
    assert "Nothing waits." in text(client.get("/review/?language=fr")), "in no language"
    held(panel(olga), filed(maya))
    page = text(client.get("/review/?language=fr"))
    assert "Nobody who writes in Français is on this list." in page
    assert "1 more in another language." in page
    assert "Nothing waits." not in page
    assert "You hold nothing." in text(client.get("/review/?show=mine&language=fr"))


def test_a_long_queue_asks_the_database_no_more_often(rui: User) -> None:
    client = panel(rui)

    def asked(query: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/review/{query}").status_code == 200
        return len(seen)

    everybody = people(12)
    first = [filed(person) for person in everybody[:2]]
    queries = ("", "?language=en", f"?of={first[0].id}")
    before = [asked(query) for query in queries]
    for person in everybody:
        filed(person)
    held(panel(rui), first[1])
    after = [asked(query) for query in queries]
    assert all(now - then <= 1 for then, now in zip(before, after, strict=True)), "one more for who holds what"


def _not_there(incident: Incident, person: User) -> None:
    incident.delete()


def _being_erased(incident: Incident, person: User) -> None:
    erasure.erasure_ask(actor=person, person=person)


@pytest.mark.parametrize("gone", [_not_there, _being_erased])
def test_of_somebody_who_is_gone_nothing_is_listed(gone: Callable[[Incident, User], None], rui: User) -> None:
    tess = make_teen("tess", age=15)
    incident, other = filed(tess), filed(tess)
    gone(incident, tess)
    response = panel(rui).get(f"/review/?of={incident.id}")
    assert response.status_code == 404
    assert str(other.id) not in text(response)


def test_of_what_is_no_incident_and_of_ones_own_nothing_is_listed(maya: User, rui: User) -> None:
    filed(maya)
    client, own = panel(rui), filed(rui)
    for odd in ("", "x", str(maya.id), "%00", "9" * 4000):
        response = client.get(f"/review/?of={odd}")
        assert response.status_code == 404, odd
        assert handle_of(maya.id) not in text(response)
    assert client.get(f"/review/?of={own.id}").status_code == 403


def test_the_row_s_order_is_the_same_each_time(rui: User) -> None:
    """Filed in one moment: no page may show twice, or leave out, what another one has."""
    for person in people(5):
        filed(person)
    Incident.objects.update(at=clock.now())
    everybody, now = User.objects.values("id"), clock.now()
    fronts = [row[0] for row in incidents.fronts_waiting(everybody, now)]
    assert fronts == sorted(fronts)
    assert [row[0] for number in range(5) for row in incidents.fronts_waiting(everybody, now)[number : number + 1]] == (
        fronts
    )


@pytest.mark.parametrize("language", ["pt-br", "es", "fr"])
def test_the_queue_s_new_words_are_in_every_language(language: str) -> None:
    sentences = (
        "Waiting: teen %(handle)s", "Nothing of this person waits any more.", "Pages", "Previous page", "Next page",
        "Page %(page)s of %(pages)s", "Nobody who writes in %(language_name)s is on this list.", "Show them all",
    )  # fmt: skip
    one, many = "%(more)s more of teen %(handle)s waits", "%(more)s more of teen %(handle)s wait"
    with translation.override(language):
        assert not [
            sentence for sentence in sentences if translation.gettext(sentence) == sentence and sentence != "Pages"
        ]
        assert len({translation.ngettext(one, many, number) for number in (1, 5)} - {one, many}) == 2
