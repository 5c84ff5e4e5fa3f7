from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from chatbot.accounts.devices import described, devices_end, devices_of, ended_clear
from chatbot.accounts.models import SignIn as SignInRow
from chatbot.accounts.models import User
from chatbot.core import clock

SignIn = Callable[..., Client]
PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"


def key_of(client: Client) -> str:
    key = client.session.session_key
    assert key is not None
    return key


def test_every_device_is_listed_with_what_it_is_and_this_one_is_named(signed_in: SignIn, maya: User) -> None:
    phone, _tablet = signed_in(maya, PHONE), signed_in(maya, TABLET)
    page = phone.get("/me/devices/").content.decode()
    assert ">A browser<" in page or "Firefox, Android" in page
    assert page.count("this one") == 1
    assert page.count("Sign out there") == 1
    assert key_of(phone) not in page


@pytest.mark.parametrize(
    ("agent", "words"), [(PHONE, "Firefox, Android"), (TABLET, "Safari, iPad"), ("", ""), ("curl/8", "")]
)
def test_a_device_is_told_in_two_words_or_none(agent: str, words: str) -> None:
    assert described(agent) == words


def test_signing_out_there_ends_that_one_only(signed_in: SignIn, maya: User) -> None:
    here, there = signed_in(maya), signed_in(maya)
    device = next(one for one in devices_of(maya.id, here=key_of(here)) if not one.here)
    assert here.post(f"/me/devices/{device.id}/end/").status_code == 302
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302


def test_signing_out_everywhere_else_leaves_this_one_and_other_people(signed_in: SignIn, maya: User, leo: User) -> None:
    here, there, other = signed_in(maya), signed_in(maya), signed_in(leo)
    assert here.post("/me/devices/others/end/").status_code == 302
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302
    assert other.get("/me/").status_code == 200


@pytest.mark.parametrize("who", ["stranger", "ana", "rui", "olga"])
def test_nobody_ends_somebody_else_s_sign_in(
    request: pytest.FixtureRequest, signed_in: SignIn, maya: User, who: str
) -> None:
    mayas = signed_in(maya)
    device = devices_of(maya.id, here=None)[0]
    assert signed_in(request.getfixturevalue(who)).post(f"/me/devices/{device.id}/end/").status_code == 404
    assert mayas.get("/me/").status_code == 200


def test_signed_out_the_page_is_closed(client: Client, maya: User) -> None:
    assert client.get("/me/devices/").status_code == 302
    assert client.post("/me/devices/others/end/").status_code == 302


def test_when_a_device_was_last_seen_is_kept_to_the_hour(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    first = devices_of(maya.id, here=None)[0].seen
    clock.move_to(clock.now() + timedelta(minutes=10))
    client.get("/me/")
    assert devices_of(maya.id, here=None)[0].seen == first
    clock.move_to(clock.now() + timedelta(hours=2))
    client.get("/me/")
    seen = devices_of(maya.id, here=None)[0].seen
    assert seen is not None
    assert first is not None
    assert seen > first


def test_a_page_for_everybody_does_not_touch_a_sign_in(client: Client, maya: User) -> None:
    client.get("/health")
    assert not SignInRow.objects.exists()


def test_sign_ins_that_have_run_out_are_deleted_and_the_others_stay(signed_in: SignIn, maya: User) -> None:
    old, fresh = signed_in(maya, PHONE), signed_in(maya, TABLET)
    SignInRow.objects.filter(session_key=key_of(old)).update(expire_date=clock.now() - timedelta(days=1))
    assert ended_clear() == 1
    assert list(SignInRow.objects.values_list("session_key", flat=True)) == [key_of(fresh)]


def test_to_find_one_s_own_nobody_else_s_sign_in_is_opened(
    signed_in: SignIn, maya: User, leo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = signed_in(maya)
    for _ in range(3):
        signed_in(leo)
    opened: list[uuid.UUID | None] = []
    decoded = SignInRow.get_decoded
    monkeypatch.setattr(SignInRow, "get_decoded", lambda row: opened.append(row.person_id) or decoded(row))
    assert len(devices_of(maya.id, here=key_of(mine))) == 1
    assert opened == [maya.id]


def test_a_sign_in_that_nobody_can_open_any_more_ends_with_the_rest(signed_in: SignIn, maya: User, leo: User) -> None:
    signed_in(maya)
    signed_in(leo)
    SignInRow.objects.update(session_data="signed by a secret that was changed since")
    assert devices_end(maya.id) == 1
    assert [row.person_id for row in SignInRow.objects.all()] == [leo.id]


def test_signed_out_a_browser_s_session_is_nobody_s(signed_in: SignIn, maya: User) -> None:
    client = signed_in(maya)
    assert SignInRow.objects.get().person_id == maya.id
    client.post("/account/logout/")
    assert not SignInRow.objects.filter(person_id=maya.id).exists()
