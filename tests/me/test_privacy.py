"""Who sees what, and what holds: plain words for each, with the switches beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from chatbot.accounts.models import TimeLimits, User
from chatbot.core.audit import audit_record

SignIn = Callable[..., Client]


def test_it_says_who_hosts_what_staff_see_and_how_long_things_stay(signed_in: SignIn, leo: User) -> None:
    page = signed_in(leo).get("/me/privacy/").content.decode()
    for words in (
        "could technically read", "Only what was flagged", "Nobody is linked to your account", "30 days, then gone",
        "Nobody who works here has looked", "What is never kept", "/me/export/", "/me/delete/", "/me/devices/",
    ):  # fmt: skip
        assert words in page, words


def test_a_look_stands_there_in_full_however_many_came_after(signed_in: SignIn, maya: User) -> None:
    audit_record(actor="operator", subject=maya.id, action="memory_read", detail={"reason": "a bug report"})
    for _ in range(8):
        audit_record(actor="self", subject=maya.id, action="recovery_code_made")
    client = signed_in(maya)
    assert "a bug report" not in client.get("/me/").content.decode()  # the overview keeps to the latest
    page = client.get("/me/privacy/").content.decode()
    assert "a bug report" in page
    assert "once" in page


def test_a_linked_teen_is_led_to_what_the_guardian_sees(signed_in: SignIn, maya: User, ana: User) -> None:
    page = signed_in(maya).get("/me/privacy/").content.decode()
    assert "ana: minutes" in page
    assert 'href="/me/guardian/"' in page


def test_memory_is_paused_from_here_and_one_stays_here(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    response = client.post("/me/memory/pause/", {"pause": "on", "back": "privacy"})
    assert response.headers["Location"] == "/me/privacy/"
    assert TimeLimits.objects.get(person=maya).memory_paused
    assert "Turn memory on" in client.get("/me/privacy/").content.decode()


@pytest.mark.parametrize("who", ["ana", "rui", "olga"])
def test_grown_ups_read_about_themselves_and_have_no_limits(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, who: str
) -> None:
    client = signed_in(request.getfixturevalue(who))
    page = client.get("/me/privacy/").content.decode()
    assert "could technically read" in page
    assert "memory" not in page.lower()
    assert ("/me/delete/" in page) == (who == "ana")
    for path in ("/me/limits/", "/me/guardian/"):
        assert client.get(path).status_code == 403


def test_limits_say_that_nobody_changed_them(signed_in: SignIn, maya: User) -> None:
    page = signed_in(maya).get("/me/limits/").content.decode()
    for words in ("Nobody changed these", ">60<", "22:00", "07:00", "Help has no limits"):
        assert words in page, words
