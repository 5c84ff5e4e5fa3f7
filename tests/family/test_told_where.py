"""What a guardian is told of where they hear of danger, and what to do then: nobody waits for mail that never comes."""

from __future__ import annotations

import uuid

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from chatbot.accounts import guardianship, oversight
from chatbot.accounts.models import AlertKind, Role, User
from chatbot.core import clock
from chatbot.family import joining
from tests.conftest import make_teen
from tests.family.conftest import SignIn
from tests.family.test_pages import JOINING, code_shown, text

NO_MAIL = "this house sends no e-mails"


def test_without_mail_no_address_is_asked_for_and_the_page_says_to_look_in(
    maya: User, ana: User, sign_in: SignIn, settings: LazySettings
) -> None:
    settings.EMAIL_URL = ""
    way_in = Client()
    assert 'name="email"' not in text(way_in, "/family/join/")
    assert way_in.post("/family/join/", {**JOINING, "email": "zora@example.org"}).status_code == 302
    assert User.objects.get(username="zora").email == ""  # what nobody asked for is not kept
    assert NO_MAIL in text(sign_in(ana), "/family/")


def test_with_mail_the_address_is_asked_for_and_a_guardian_without_one_is_told_so(
    maya: User, ana: User, sign_in: SignIn, settings: LazySettings
) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    assert 'name="email"' in text(Client(), "/family/join/")
    grown = sign_in(ana)
    page = text(grown, "/family/")
    assert NO_MAIL not in page
    assert "Without an address nothing is sent" in page
    guardianship.alert_mail_set(ana, "ana@example.org")
    assert "Without an address nothing is sent" not in text(grown, "/family/")


@pytest.mark.parametrize("country", ["BR", ""])
def test_an_alert_leads_to_the_lines_of_the_teen_s_country(
    country: str, maya: User, ana: User, sign_in: SignIn
) -> None:
    User.objects.filter(id=maya.id).update(country=country)
    oversight.alert_file(
        maya.guardianships.get(), incident_id=uuid.uuid4(), kind=AlertKind.MEDICAL, held=False, at=clock.now()
    )
    page = text(sign_in(ana), f"/family/{maya.id}/")
    assert (f'href="/help/?country={country}"' in page) == bool(country)
    if country:
        assert "Emergency: 192" in text(sign_in(ana), f"/help/?country={country}")


def test_with_nothing_to_look_at_no_heading_sounds_an_alarm(maya: User, ana: User, sign_in: SignIn) -> None:
    page = text(sign_in(ana), f"/family/{maya.id}/")
    assert ("Please look after them" in page, "If they need you" in page) == (False, True)
    oversight.alert_file(
        maya.guardianships.get(), incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=clock.now()
    )
    page = text(sign_in(ana), f"/family/{maya.id}/")
    assert ("Please look after them" in page, "If they need you" in page) == (True, False)


def test_who_says_that_they_are_on_it_reads_that_it_was_noted(maya: User, ana: User, sign_in: SignIn) -> None:
    link = maya.guardianships.get()
    oversight.alert_file(link, incident_id=uuid.uuid4(), kind=AlertKind.PERSON, held=False, at=clock.now())
    grown = sign_in(ana)
    grown.post(f"/family/alerts/{link.alerts.get().id}/")
    page = text(grown, f"/family/{maya.id}/")
    assert "Noted. What to do stays here" in page
    assert "Please check on them now" in page


@pytest.mark.parametrize(("age", "said"), [(15, "Under 16 they are always set"), (17, "Leave both empty for none")])
def test_the_form_says_which_quiet_hours_can_be_set(
    age: int, said: str, open_house: None, zoe: User, sign_in: SignIn
) -> None:
    teen = make_teen("timo", age=age)
    grown = sign_in(zoe)
    grown.post("/family/join/", {"code": code_shown(sign_in(teen)), "sure": "1", "agree": "on"})
    guardianship.link_accept(teen, teen.guardianships.get().id)
    assert said in text(grown, f"/family/{teen.id}/limits/")


@pytest.mark.django_db
def test_a_hall_of_parents_behind_one_address_can_all_make_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    for number in range(60):
        made = Client().post("/family/join/", {**JOINING, "username": f"parent{number}"})
        assert made.status_code == 302, number
    monkeypatch.setattr(joining, "ACCOUNTS", 60)
    refused = Client().post("/family/join/", {**JOINING, "username": "parent60"})
    assert (refused.status_code, User.objects.filter(role=Role.GUARDIAN).count()) == (400, 60)
    assert "Too many new accounts from here" in refused.content.decode()
