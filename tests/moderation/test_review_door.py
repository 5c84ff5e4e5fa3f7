"""The panel's door: only staff, with a second factor given lately; codes work once; a lost phone is the operator's."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from chatbot.accounts import services as people
from chatbot.accounts.models import Role, User
from chatbot.chat import doctor
from chatbot.core import clock, keys
from chatbot.core.audit import audit_of
from chatbot.core.models import PersonKey
from tests.contracts.cast import BACKEND
from tests.second_factor import app_give, app_key, code_now, passed

PASSWORD = "abraco-tests"
SET_UP, CODE, AGAIN, CODES, NEW_CODES = (
    "/account/second-factor/", "/account/second-factor/code/", "/account/second-factor/again/",
    "/account/second-factor/codes/", "/account/second-factor/codes/new/",
)  # fmt: skip
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_left")]


def _signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def _password(name: str) -> tuple[Client, str]:
    """A browser that gave the password, and where it was led."""
    client = Client()
    response = client.post("/account/login/", {"login": name, "password": PASSWORD})
    return client, response.headers.get("Location", "")


def test_only_staff_get_in(maya: User, ana: User, rui: User, olga: User) -> None:
    assert Client().get("/review/").headers["Location"].startswith("/account/login/")
    for person in (maya, ana):
        client = _signed_in(person)
        response = client.get("/review/")
        assert response.status_code == 403
        assert "Only the people who look after this place" in response.content.decode()
        assert client.get(SET_UP).status_code == 403
    for person in (rui, olga):
        assert passed(_signed_in(person), person).get("/review/").status_code == 200


def test_a_moderator_without_an_app_is_led_to_set_one_up(rui: User) -> None:
    client, led = _password("rui")
    assert led == "/review/"
    assert client.get("/review/").headers["Location"] == SET_UP
    page = client.get(SET_UP)
    shown = page.content.decode()
    key = page.context["form"].secret
    assert key in shown
    assert '<svg class="qr"' in shown
    assert "data:image" not in shown
    wrong = client.post(SET_UP, {"code": "000000"})
    assert "That code isn&#x27;t right" in wrong.content.decode()
    assert client.get("/review/").headers["Location"] == SET_UP
    response = client.post(SET_UP, {"code": code_now(key)})
    assert response.headers["Location"] == CODES
    first = client.get(CODES)
    codes = first.context["unused_codes"]
    assert len(codes) == 10
    assert all(code in first.content.decode() for code in codes)
    again = client.get(CODES).content.decode()
    assert not any(code in again for code in codes), "recovery codes are shown once"
    assert client.get("/review/").status_code == 200
    assert [entry.action for entry in audit_of(rui.id)][:1] == ["second_factor_set"]


def _earlier(client: Client, **length: float) -> None:
    """Whatever was given in this sign-in was given that much earlier."""
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [
        {**one, "at": one["at"] - timedelta(**length).total_seconds()} for one in records
    ]
    session.save()


def test_the_password_is_asked_for_once_and_again_after_five_minutes(rui: User) -> None:
    client, _led = _password("rui")
    _earlier(client, minutes=4.9)
    assert client.get(SET_UP).status_code == 200
    _earlier(client, minutes=0.2)
    asked = client.get(SET_UP).headers["Location"]
    assert asked.startswith("/account/reauthenticate/")
    assert client.post(asked, {"password": "not it"}).status_code == 200
    assert client.get(SET_UP).headers["Location"] == asked
    assert client.post(asked, {"password": PASSWORD}).headers["Location"] == SET_UP
    assert client.get(SET_UP).status_code == 200


def test_who_never_gave_a_password_here_gives_it_before_a_second_key(rui: User) -> None:
    assert _signed_in(rui).get(SET_UP).headers["Location"].startswith("/account/reauthenticate/")


def test_new_recovery_codes_ask_for_the_password_once(rui: User) -> None:
    key = app_give(rui)
    client, _led = _password("rui")
    client.post(CODE, {"code": code_now(key)})
    assert client.get(NEW_CODES).status_code == 200, "both were given just now"
    _earlier(client, minutes=6)
    asked = client.get(NEW_CODES).headers["Location"]
    assert asked.startswith("/account/reauthenticate/")
    assert client.post(asked, {"password": PASSWORD}).headers["Location"] == NEW_CODES
    assert client.get(NEW_CODES).status_code == 200
    assert client.post(NEW_CODES).headers["Location"] == CODES
    assert client.get(CODES).status_code == 200


def test_the_key_is_sealed_in_the_database(rui: User) -> None:
    key = app_give(rui)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        kept = str(cursor.fetchall())
    assert key not in kept
    assert app_key(rui) == key


def test_with_an_app_every_sign_in_asks_for_its_code_and_a_code_works_once(rui: User) -> None:
    key = app_give(rui)
    client, led = _password("rui")
    assert led == CODE
    assert client.get("/review/").headers["Location"].startswith("/account/login/"), "the password alone is no sign-in"
    code = code_now(key)
    assert client.post(CODE, {"code": code}).headers["Location"] == "/review/"
    assert client.get("/review/").status_code == 200
    cache.clear()  # what allauth remembers of used codes is gone with it
    other, _led = _password("rui")
    replayed = other.post(CODE, {"code": code})
    if code == code_now(key):  # the test didn't cross into the next half minute
        assert replayed.status_code == 400
        assert "was used already" in replayed.content.decode()
        assert other.get("/review/").headers["Location"].startswith("/account/login/")


def test_an_old_or_a_coming_code_is_refused(rui: User) -> None:
    key = app_give(rui)
    client, _led = _password("rui")
    for steps in (-2, 2):
        response = client.post(CODE, {"code": code_now(key, steps=steps)})
        assert response.status_code == 400
        assert "isn&#x27;t right" in response.content.decode()


def test_guessing_codes_is_slowed_with_a_clear_sentence(rui: User) -> None:
    key = app_give(rui)
    client, _led = _password("rui")
    for _ in range(6):
        response = client.post(CODE, {"code": "000000"})
    assert "Too many tries. Wait five minutes" in response.content.decode()
    right = client.post(CODE, {"code": code_now(key)})
    assert right.status_code == 400, "the limit holds for the right code too"


def test_a_recovery_code_signs_in_once_and_is_told(rui: User) -> None:
    app_give(rui)
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    code = RecoveryCodes.activate(rui).get_unused_codes()[0]
    client, _led = _password("rui")
    assert client.post(CODE, {"code": code}).headers["Location"] == "/review/"
    other, _led = _password("rui")
    assert other.post(CODE, {"code": code}).status_code == 400
    assert audit_of(rui.id)[0].action == "second_factor_code_used"
    assert b"one of your recovery codes" in client.get("/me/").content


def test_after_twelve_hours_the_code_is_asked_again_and_leads_back(rui: User) -> None:
    client = passed(_signed_in(rui), rui, at=clock.now() - timedelta(hours=12, seconds=1))
    response = client.get("/review/?show=mine")
    assert response.headers["Location"] == f"{AGAIN}?next=%2Freview%2F%3Fshow%3Dmine"
    back = client.post(response.headers["Location"], {"code": code_now(app_key(rui))})
    assert back.headers["Location"] == "/review/?show=mine"
    assert client.get("/review/").status_code == 200


def test_a_sign_in_that_never_gave_a_code_is_stale(rui: User) -> None:
    app_give(rui)
    assert _signed_in(rui).get("/review/").headers["Location"].startswith(AGAIN)


def test_a_code_given_by_one_person_counts_for_nobody_else_in_that_browser(rui: User, olga: User) -> None:
    client = passed(_signed_in(rui), rui)
    kept = dict(client.session)
    app_give(olga)
    other = _signed_in(olga)
    session = other.session
    session["second_factor_at"] = kept["second_factor_at"]
    session.save()
    assert other.get("/review/").headers["Location"].startswith(AGAIN)


def test_the_password_alone_makes_no_recovery_codes_that_would_open_the_panel(rui: User) -> None:
    app_give(rui)
    client = _signed_in(rui)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    for address in (CODES, f"{CODES}new/"):
        for response in (client.get(address), client.post(address)):
            assert response.headers["Location"].startswith(AGAIN)
    assert not Authenticator.objects.filter(user=rui, type=Authenticator.Type.RECOVERY_CODES).exists()
    given = client.post(f"{AGAIN}?next={CODES}new/", {"code": code_now(app_key(rui))})
    assert given.headers["Location"] == f"{CODES}new/"
    assert client.post(f"{CODES}new/").headers["Location"] == CODES
    assert len(client.get(CODES).context["unused_codes"]) == 10


def test_a_way_back_in_by_the_operator_does_not_get_around_the_app(rui: User) -> None:
    app_give(rui)
    secret = people.recovery_link_make(rui, reason="forgot it")
    client = Client()
    client.post(f"/account/recover/{secret}/", {"password": "four odd words here"})
    response = client.post("/account/login/", {"login": "rui", "password": "four odd words here"})
    assert response.headers["Location"] == CODE
    assert client.get("/review/").headers["Location"].startswith("/account/login/")


def test_a_lost_phone_is_put_right_by_command_audited_and_signed_out(rui: User) -> None:
    client = passed(_signed_in(rui), rui)
    said = StringIO()
    call_command("second_factor", "--reset", "Rui", "--reason", "phone lost, came in person", stdout=said)
    assert "signed out everywhere" in said.getvalue()
    assert not Authenticator.objects.filter(user=rui).exists()
    assert client.get("/review/").headers["Location"].startswith("/account/login/")
    entry = audit_of(rui.id)[0]
    assert (entry.action, entry.detail["reason"]) == ("second_factor_reset", "phone lost, came in person")
    with pytest.raises(CommandError, match="no authenticator app"):
        call_command("second_factor", "--reset", "rui", "--reason", "again", stdout=StringIO())
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("second_factor", "--reset", "nobody", "--reason", "x", stdout=StringIO())


def test_the_doctor_names_staff_who_have_no_app_yet(rui: User, olga: User) -> None:
    app_give(rui)
    said = [finding.what for finding in doctor.findings()]
    assert "So far a password alone opens these staff accounts: olga." in said


def test_the_key_outlives_a_new_master_key(rui: User, settings: Any, tmp_path: Path) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", str(tmp_path / "master.key")
    keys.forget_cached()
    PersonKey.objects.all().delete()
    keys.master_key_make()
    key = app_give(rui)
    keys.master_rotate()
    keys.forget_cached()
    assert app_key(rui) == key


def test_allauth_s_other_pages_do_not_exist() -> None:
    for name in ("mfa_index", "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_trust", "mfa_list_webauthn"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_setup_makes_moderators(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("ABRACO_PASSWORD", "quite a long one")
    said = StringIO()
    call_command("setup", "--moderator", "rita", stdout=said)
    assert User.objects.get(username="rita").role == Role.MODERATOR
    assert "authenticator app" in said.getvalue()
    with pytest.raises(CommandError, match="already"):
        call_command("setup", "--moderator", "Rita", stdout=said)
