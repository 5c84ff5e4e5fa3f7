"""A site's signed word: what counts, and every way in which it does not."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from chatbot.accounts.models import User
from chatbot.core import clock
from chatbot.widget import identity, sites
from chatbot.widget.models import Nonce, Visitor
from tests.widget.host import admitted, made, signed, ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def test_a_signed_visitor_gets_a_ticket_and_is_a_person_without_a_name() -> None:
    site = made()
    response = admitted(site)
    assert response.status_code == 200
    assert response.json()["boot"]["deal"] is True
    person = Visitor.objects.get(site=site.site).person
    assert (person.role, person.band, person.country, person.region) == ("teen", "13-15", "US", "US-CA")
    assert person.username.startswith("guest-")
    assert not person.has_usable_password()
    assert person.time_limits.memory_off
    assert person.username not in response.content.decode()
    assert not response.cookies


def test_the_same_subject_is_the_same_person_and_another_site_s_is_not() -> None:
    one, other = made(), made(name="Southside")
    ticket(one)
    ticket(one)
    ticket(one, sub="student-2")
    ticket(other)
    assert User.objects.count() == 3


def test_what_the_site_calls_somebody_stands_nowhere() -> None:
    ticket(made(), sub="Zoë Ångström 🧡")
    assert "ngstr" not in str(list(Visitor.objects.values_list()))


@pytest.mark.parametrize("sub", ["Zoë Ångström 🧡", "نورة", "小明", "a" * 255])
def test_any_name_that_a_site_has_for_somebody_works(sub: str) -> None:
    site = made()
    ticket(site, sub=sub)
    ticket(site, sub=sub)
    assert Visitor.objects.count() == 1


def test_a_wrong_secret_and_another_site_s_identity_are_refused() -> None:
    site, other = made(), made(name="Southside")
    assert code(admitted(site, token=signed(sites.NewSecret(site.site, other.secret)))) == (403, "bad_signature")
    assert code(admitted(site, token=signed(other))) == (403, "bad_signature")
    stolen = signed(sites.NewSecret(other.site, site.secret))  # signed rightly, for somebody else
    assert code(admitted(site, token=stolen)) == (403, "foreign")
    assert not User.objects.exists()


def test_the_old_secret_lives_through_one_rotation_and_not_through_two() -> None:
    first = made()
    second = sites.site_rotate(first.site)
    assert admitted(first).status_code == 200
    assert admitted(second).status_code == 200
    third = sites.site_rotate(first.site)
    assert code(admitted(first)) == (403, "bad_signature")
    assert admitted(second).status_code == 200
    assert admitted(third).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-30, 200), (-90, "expired"), (330, 200), (420, "too_long"), (86_400, "clock"), (-86_400, "clock")],
)
def test_the_life_of_an_identity_and_a_clock_that_is_wrong(seconds: int, expected: int | str) -> None:
    response = admitted(made(), exp=int(clock.now().timestamp()) + seconds)
    if expected == 200:
        assert response.status_code == 200
        return
    assert code(response) == (403, expected)
    if expected == "clock":
        assert "clock is about 2" in response.json()["owner"]


def test_a_replayed_identity_is_refused_at_its_own_site_and_a_nonce_is_the_site_s_own() -> None:
    site, other = made(), made(name="Southside")
    token = signed(site, nonce="n" * 20)
    assert admitted(site, token=token).status_code == 200
    assert code(admitted(site, token=token)) == (403, "replayed")
    assert code(admitted(site, sub="student-2", nonce="n" * 20)) == (403, "replayed")
    assert admitted(other, nonce="n" * 20).status_code == 200


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"band": None}, "band"), ({"band": "9-12"}, "band"), ({"band": 14}, "band"), ({"country": None}, "country"),
        ({"country": "usa"}, "country"), ({"region": "CA-MB"}, "region"), ({"sub": ""}, "sub"), ({"sub": None}, "sub"),
        ({"nonce": None}, "nonce"), ({"nonce": "short"}, "nonce"), ({"exp": "soon"}, "exp"), ({"exp": None}, "exp"),
        ({"exp": 1e400}, "exp"), ({"tz": "Mars/North"}, "tz"), ({"consent": True}, "consent"),
        ({"sub": "a" * 256}, "sub"), ({"sub": "half \ud800 a character"}, "sub"),
    ],
)  # fmt: skip
def test_a_claim_that_is_missing_or_wrong_is_named_to_the_owner_and_not_to_the_visitor(
    claims: dict[str, Any], named: str
) -> None:
    response = admitted(made(), **claims)
    assert code(response) == (403, "bad_claim")
    assert f"claim {named} " in response.json()["owner"]
    assert named not in response.json()["message"]


RUBBISH = [
    "",
    "v1",
    "v1..",
    "v1.a.b",
    "v2.e30.x",
    "🧡.🧡.🧡",
    "v1." + "A" * 5000 + ".x",
    "v1.\ud800.x",
    "null",
    "v1.e30.é",
]


@pytest.mark.parametrize("token", RUBBISH)
def test_rubbish_is_refused_with_a_sentence(token: str) -> None:
    response = admitted(made(), token=token)
    assert response.status_code == 403
    assert response.json()["code"] in ("bad_identity", "bad_signature")
    assert response.json()["message"].endswith(".")


@pytest.mark.parametrize("payload", [b"[]", b"null", b"\xff\xfe", b"{", b"[" * 3000, b'"text"'])
def test_a_payload_that_is_signed_but_no_identity_is_refused(payload: bytes) -> None:
    site = made()
    said = f"v1.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}"
    response = admitted(site, token=f"{said}.{identity.signature(site.secret, said)}")
    assert response.status_code == 403
    assert response.json()["code"] in ("bad_identity", "bad_claim")


def test_the_band_becomes_stricter_by_itself_and_never_looser() -> None:
    site = made()
    ticket(site, band="18+")
    person = Visitor.objects.get().person
    for said, kept in (("16-17", "16-17"), ("18+", "16-17"), ("13-15", "13-15"), ("18+", "13-15")):
        ticket(site, band=said)
        person.refresh_from_db()
        assert person.band == kept


def test_a_language_and_a_device_s_time_zone_are_taken_where_the_site_says_none() -> None:
    site = made(languages=["en", "pt-BR"])
    ticket(site, lang="pt_br", tz=None)
    person = Visitor.objects.get().person
    assert (person.language, person.time_zone) == ("pt-BR", "UTC")
    ticket(site, lang="fr", tz="Europe/Lisbon")
    person.refresh_from_db()
    assert (person.language, person.time_zone) == ("en", "Europe/Lisbon")


def test_spent_nonces_go_once_they_can_be_replayed_no_more() -> None:
    from chatbot.widget.services import spent_forget

    ticket(made())
    with clock.at(clock.now() + timedelta(minutes=30)):
        assert spent_forget() == 0
    with clock.at(clock.now() + timedelta(hours=2)):
        assert spent_forget() == 2
    assert not Nonce.objects.exists()


def test_nothing_in_a_refusal_repeats_what_the_site_signed() -> None:
    response = admitted(made(), sub="student-of-the-harbour", band="9-12")
    assert "harbour" not in json.dumps(response.json())
