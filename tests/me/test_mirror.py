"""R31: the teen sees exactly what their guardian sees, drawn by the same template from the same rows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from chatbot.accounts import guardianship, oversight
from chatbot.accounts.erasure import erasure_ask_for
from chatbot.accounts.models import AlertKind, Guardianship, Role, TimeLimits, UsageDay, User
from chatbot.core import clock
from tests.conftest import make_person
from tests.me.copies import copy_of

SignIn = Callable[..., Client]
SECTION = re.compile(r'<section class="seen-part".*?</section>', re.S)
FORM = re.compile(r"<form.*?</form>", re.S)


def shown(client: Client, path: str) -> list[str]:
    """What the shared template drew on a page, without the guardian's own buttons, spaces evened out."""
    page = client.get(path)
    assert page.status_code == 200, path
    return [" ".join(FORM.sub("", part).split()) for part in SECTION.findall(page.content.decode())]


@pytest.fixture
def link(maya: User, ana: User) -> Guardianship:
    """Two weeks of it: minutes on some days, limits that ana set, an alert that she saw and one that she didn't."""
    row = Guardianship.objects.get(teen=maya, guardian=ana)
    now = clock.now()
    Guardianship.objects.filter(id=row.id).update(since=now - timedelta(days=13))
    row.refresh_from_db()
    for back, seconds in ((0, 900), (1, 1400), (3, 4000), (9, 61)):
        UsageDay.objects.create(person=maya, day=(now - timedelta(days=back)).date(), seconds=seconds, turns=3)
    TimeLimits.objects.create(person=maya, minutes_a_day=35, set_by=Role.GUARDIAN, memory_off=True)
    for hours, kind in ((2, AlertKind.PERSON), (30, AlertKind.AWAY)):
        oversight.alert_file(row, incident_id=uuid.uuid4(), kind=kind, held=False, at=now - timedelta(hours=hours))
    row.alerts.filter(kind=AlertKind.AWAY).update(seen_at=now)
    return row


def test_the_mirror_and_the_guardian_s_page_show_the_same_word_for_word(
    signed_in: SignIn, maya: User, ana: User, link: Guardianship
) -> None:
    theirs = shown(signed_in(ana), f"/family/{maya.id}/")
    mine = shown(signed_in(maya), "/me/guardian/")
    assert len(theirs) >= 3
    assert mine == theirs


def test_a_request_to_delete_is_on_both_and_on_the_first_page_of_the_teen(
    signed_in: SignIn, maya: User, ana: User, link: Guardianship
) -> None:
    erasure_ask_for(guardian=ana, teen_id=maya.id)
    assert shown(signed_in(maya), "/me/guardian/") == shown(signed_in(ana), f"/family/{maya.id}/")
    page = signed_in(maya).get("/me/").content.decode()
    assert "asked to delete your account" in page
    assert "staff look first" in page
    assert "asked to delete your account" not in signed_in(ana).get("/me/").content.decode()


def test_what_is_held_back_from_the_guardian_is_on_neither_page_nor_in_a_copy(
    signed_in: SignIn, maya: User, ana: User, link: Guardianship
) -> None:
    link.alerts.update(seen_at=clock.now())
    before = shown(signed_in(ana), f"/family/{maya.id}/")
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.MEDICAL, held=True, at=clock.now())
    assert shown(signed_in(maya), "/me/guardian/") == before
    for person in (maya, ana):
        assert "medical" not in copy_of(signed_in(person))


def test_a_guardian_s_copy_holds_what_the_panel_shows_and_no_more(
    signed_in: SignIn, maya: User, ana: User, link: Guardianship
) -> None:

    assert [one["seen_at"] is None for one in json.loads(copy_of(signed_in(ana)))["teens"][0]["alerts"]] == [False]
    signed_in(ana).get("/family/")  # a copy tells nothing that no page has told
    found = json.loads(copy_of(signed_in(ana)))["teens"]
    view = oversight.seen_by_guardian(link, now=clock.now())
    assert [one["teen"] for one in found] == ["maya"]
    assert [(one["day"], one["minutes"]) for one in found[0]["days"]] == [
        (one.day.isoformat(), one.minutes) for one in view.days
    ]
    assert found[0]["limits"]["minutes"] == 35
    assert len(found[0]["alerts"]) == 2
    assert set(found[0]) == {
        "teen", "linked_since", "consent", "chat_open", "limits", "days", "alerts", "end_asked_at", "is_deleted_on",
    }  # fmt: skip


def test_somebody_else_s_guardian_has_no_teen_of_mine_in_their_copy(
    signed_in: SignIn, maya: User, bruno: User, link: Guardianship
) -> None:
    assert "maya" not in copy_of(signed_in(bruno))


def test_a_request_is_answered_from_here_and_a_link_is_ended_in_two_taps(signed_in: SignIn, leo: User) -> None:
    guardian = make_person("gabi", Role.GUARDIAN)
    code = guardianship.code_make(leo)
    guardianship.link_ask(guardian, guardianship.code_find(guardian, code, address="tests"))
    client = signed_in(leo)
    asked = client.get("/me/guardian/").content.decode()
    assert "gabi wants to be linked to you" in asked
    assert not SECTION.findall(asked)
    link = Guardianship.objects.get(teen=leo)
    assert client.post(f"/family/requests/{link.id}/", {"answer": "yes"}).status_code == 302
    page = client.get("/me/guardian/").content.decode()
    assert "What gabi sees" in page
    assert "End the link with gabi" in page
    assert client.post(f"/family/links/{link.id}/end/").status_code == 302
    assert "No parent or carer is linked" in client.get("/me/guardian/").content.decode()


def test_under_sixteen_the_page_says_that_they_confirm_the_end(
    signed_in: SignIn, maya: User, link: Guardianship
) -> None:
    client = signed_in(maya)
    assert "Under 16 they confirm it" in client.get("/me/guardian/").content.decode()
    client.post(f"/family/links/{link.id}/end/")
    assert "was asked for" in client.get("/me/guardian/").content.decode()


def test_a_linked_teen_changes_the_language_and_not_the_clock(
    signed_in: SignIn, maya: User, link: Guardianship
) -> None:
    client = signed_in(maya)
    assert "your parent or carer sets it" in client.get("/me/").content.decode()
    assert client.post("/me/place/", {"language": "fr", "time_zone": "Asia/Tokyo"}).status_code == 302
    maya.refresh_from_db()
    assert (maya.language, maya.time_zone) == ("fr", "UTC")
