from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from chatbot.accounts import services, views
from chatbot.accounts.models import User
from chatbot.core import clock, ratelimit
from moderation.crisis import verified_put
from moderation.crisis.helplines import helplines

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def form(**changes: object) -> dict[str, object]:
    year = clock.now().year
    fields: dict[str, object] = {
        "username": "nina", "password1": "a long and odd one", "birth_month": 1, "birth_year": year - 15,
        "country": "US", "region": "", "language": "en", "time_zone": "America/Los_Angeles",
    }  # fmt: skip
    return {**fields, **changes}


def test_somebody_of_fifteen_signs_up_without_an_e_mail_and_no_birth_date_is_kept(client: Client) -> None:
    response = client.post("/account/signup/", form())
    assert response.status_code == 302
    person = User.objects.get(username="nina")
    assert (person.band, person.country, person.time_zone, person.email) == ("13-15", "US", "America/Los_Angeles", "")
    assert person.band_until is not None
    assert b"recovery code" in client.get("/account/recovery-code/").content


def test_under_thirteen_is_refused_kindly_nothing_is_kept_and_a_second_try_waits(client: Client) -> None:
    response = client.post("/account/signup/", form(birth_year=clock.now().year - 11))
    assert response.status_code == 403
    assert not User.objects.exists()
    assert client.get("/account/signup/").status_code == 403
    assert client.post("/account/signup/", form()).status_code == 403
    assert not User.objects.exists()


def test_the_form_never_hints_at_a_limit(client: Client) -> None:
    page = client.get("/account/signup/").content.decode()
    words = re.sub(r"<svg.*?</svg>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert "born" in words
    assert not re.search(r"\b1[2-7]\b", words)


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_month": 13},
        {"birth_month": 0},
        {"birth_year": 2190},
        {"birth_year": 1901},
        {"birth_month": ""},
        {"country": "XX"},
        {"country": ""},
        {"region": "US-NY", "country": "FR"},
        {"language": "de"},
        {"password1": "12345678"},
        {"username": "no"},
        {"username": "admin"},
        {"username": "hitler"},
        {"username": "stupid_bitch"},
    ],
)
def test_what_can_not_be_is_explained_and_makes_no_account(client: Client, changes: dict[str, object]) -> None:
    response = client.post("/account/signup/", form(**changes))
    assert response.status_code == 200
    assert b"error" in response.content
    assert not User.objects.exists()


def test_a_taken_name_is_refused(client: Client, maya: User) -> None:
    assert client.post("/account/signup/", form(username="Maya")).status_code == 200
    assert User.objects.count() == 1


def test_recovery_by_code_over_the_page_and_guessing_is_slowed(client: Client, maya: User) -> None:
    code = services.recovery_code_make(maya)
    fields = {"username": "maya", "code": code, "password": "a brand new long one"}
    for _ in range(3):
        assert client.post("/account/recover/", {**fields, "code": "WRONG"}).status_code == 400
    assert client.post("/account/recover/", fields).status_code == 200
    assert User.objects.get(username="maya").check_password("a brand new long one")
    answers = [client.post("/account/recover/", {**fields, "code": "WRONG"}).content for _ in range(5)]
    assert b"Too many tries" in answers[-1]


@pytest.fixture
def _uncounted() -> Iterator[None]:
    """Nobody has been counted yet, and nobody is afterwards."""
    cache.clear()
    yield
    cache.clear()


uncounted = pytest.mark.usefixtures("_uncounted")
SLOWED = b"Too many tries. Wait five minutes"
NEW = "a brand new long one"


def recovering(name: str, code: str = "WRONG", *, address: str = "192.0.2.7") -> bytes:
    fields = {"username": name, "code": code, "password": NEW}
    return Client().post("/account/recover/", fields, REMOTE_ADDR=address).content


@uncounted
def test_guessing_at_one_name_keeps_nobody_else_at_that_address_out(maya: User, leo: User) -> None:
    code = services.recovery_code_make(leo)
    for _ in range(160):  # more than the address may have wrong: what is refused counts for its name alone
        recovering("maya")
    assert SLOWED in recovering("maya")
    assert SLOWED not in recovering("leo", code)
    assert User.objects.get(id=leo.id).check_password(NEW)


@uncounted
def test_a_name_that_is_slowed_here_is_not_slowed_elsewhere(maya: User) -> None:
    code = services.recovery_code_make(maya)
    for _ in range(6):
        recovering("maya")
    assert SLOWED in recovering("maya", code)
    assert SLOWED not in recovering("maya", code, address="198.51.100.1")
    assert User.objects.get(id=maya.id).check_password(NEW)


@uncounted
def test_right_codes_slow_nobody_down(maya: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "TRIES_AN_ADDRESS", 2)
    for _ in range(7):
        assert SLOWED not in recovering("maya", services.recovery_code_make(maya))
    assert SLOWED not in recovering("maya")
    assert SLOWED not in recovering("leo")
    assert SLOWED in recovering("zoe")


@uncounted
@pytest.mark.parametrize(
    "names", [("Maya", " maya ", "MAYA", "maya", "mAya"), ("Nobody", " nobody ", "NOBODY", "nobody", "nObody")]
)
def test_a_name_is_slowed_however_it_is_written_and_whether_or_not_it_exists(
    maya: User, names: tuple[str, ...]
) -> None:
    services.recovery_code_make(maya)
    answers = [recovering(name) for name in (*names, names[0])]
    assert [SLOWED in answer for answer in answers] == [False] * 5 + [True]
    assert all(b"belong together" in answer for answer in answers[:5])


@uncounted
def test_many_tries_at_once_pass_no_limit_together() -> None:
    """What `uncount` takes back was counted first."""
    assert [ratelimit.allowed("once", most=2, per_s=300) > 0 for _ in range(3)] == [False, False, True]
    ratelimit.uncount("once", per_s=300)
    ratelimit.uncount("once", per_s=300)
    assert not ratelimit.allowed("once", most=2, per_s=300)
    ratelimit.uncount("never_counted", per_s=300)
    assert not ratelimit.allowed("never_counted", most=1, per_s=300)


def test_a_new_recovery_code_takes_the_password(client: Client, maya: User) -> None:
    old = services.recovery_code_make(maya)
    client.force_login(maya, backend=BACKEND)
    assert b'id="code"' not in client.get("/account/recovery-code/").content
    for wrong in ({}, {"password": ""}, {"password": "not it"}):
        refused = client.post("/account/recovery-code/", wrong)
        assert refused.status_code == 400
        assert b'id="code"' not in refused.content
    person, _ = services.password_recover(username="maya", code=old, password="abraco-tests")  # the old one still works
    client.force_login(person, backend=BACKEND)
    given = client.post("/account/recovery-code/", {"password": "abraco-tests"})
    assert given.status_code == 200
    assert b'id="code"' in given.content


def test_guessing_for_a_new_recovery_code_is_slowed_and_shares_the_lock_s_count(client: Client, maya: User) -> None:
    services.recovery_code_make(maya)
    client.force_login(maya, backend=BACKEND)
    for _ in range(5):
        client.post("/account/unlock/", {"password": "not it"})
    refused = client.post("/account/recovery-code/", {"password": "abraco-tests"})
    assert b"Too many tries" in refused.content
    assert b'id="code"' not in refused.content


def test_a_spent_limit_is_not_flushed_by_a_flood_of_other_names() -> None:
    for _ in range(5):
        assert not ratelimit.allowed("unlock:maya", most=5, per_s=300)
    for number in range(400):
        assert not ratelimit.allowed(f"recover:{number}", most=5, per_s=300)
    assert ratelimit.allowed("unlock:maya", most=5, per_s=300)


def test_an_operator_s_link_opens_once(client: Client, maya: User) -> None:
    path = "/account/recover/" + services.recovery_link_make(maya, reason="forgot") + "/"
    assert client.get(path).status_code == 200
    assert client.post(path, {"password": "a brand new long one"}).status_code == 200
    assert client.post(path, {"password": "yet another long one"}).status_code == 400


def test_the_deal_is_confirmed_by_the_person_signed_in_only(client: Client, maya: User) -> None:
    maya.deal_confirmed_at = None
    maya.save()
    assert client.post("/account/deal/").status_code == 302
    maya.refresh_from_db()
    assert maya.deal_confirmed_at is None
    client.force_login(maya, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert b"not a person" in client.get("/account/deal/").content
    client.post("/account/deal/")
    maya.refresh_from_db()
    assert maya.deal_confirmed_at is not None


def test_health_and_ready_name_their_parts(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["parts"]["master_key"] == "ok"


def test_a_changed_password_is_confirmed_and_signs_out_every_other_device(client: Client, maya: User) -> None:
    other = Client()
    for device in (client, other):
        device.force_login(maya, backend=BACKEND)
    fields = {"oldpassword": "abraco-tests", "password1": "three odd words", "password2": "three odd words"}
    refused = client.post("/account/password/change/", {**fields, "oldpassword": "not it"})
    assert b"error" in refused.content
    assert other.get("/chat/earlier/").status_code == 200
    done = client.post("/account/password/change/", fields, follow=True)
    assert done.redirect_chain[-1][0] == "/me/"
    assert "Your password is changed" in done.content.decode()
    assert other.get("/chat/earlier/").status_code == 302
    assert client.get("/chat/earlier/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/account/password/change/", "/account/recovery-code/", "/account/deal/", "/account/unlock/"]
)
def test_pages_of_one_s_account_ask_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize("path", ["email/", "password/reset/", "confirm-email/", "login/code/", "3rdparty/"])
def test_doors_of_allauth_that_the_house_does_not_use_are_not_there(client: Client, path: str) -> None:
    assert client.get(f"/account/{path}").status_code == 404


def test_signing_in_leads_to_the_chat_and_a_wrong_password_says_so(client: Client, maya: User) -> None:
    wrong = client.post("/account/login/", {"login": "maya", "password": "not it"})
    assert wrong.status_code == 200
    assert b"errors" in wrong.content
    right = client.post("/account/login/", {"login": "maya", "password": "abraco-tests"})
    assert right.headers["Location"] == "/chat/"


def test_signing_in_never_leads_to_another_site(client: Client, maya: User) -> None:
    fields = {"login": "maya", "password": "abraco-tests", "next": "https://example.com/"}
    assert client.post("/account/login/", fields).headers["Location"] == "/chat/"


def test_signing_out_takes_a_tap_not_a_link(client: Client, maya: User) -> None:
    client.force_login(maya, backend=BACKEND)
    assert client.get("/account/logout/").status_code == 200
    assert client.get("/chat/earlier/").status_code == 200
    assert client.post("/account/logout/").headers["Location"] == "/"
    assert client.get("/chat/earlier/").status_code == 302


def test_a_new_account_speaks_the_language_that_was_chosen(client: Client, open_house: None) -> None:
    client.post("/account/signup/", form(language="pt-br", country="PT", birth_year=clock.now().year - 16))
    assert '<html lang="pt-br"' in client.get("/account/deal/").content.decode()


def test_under_thirteen_leaves_no_trace_but_the_waiting_cookie(client: Client) -> None:
    response = client.post("/account/signup/", form(birth_year=clock.now().year - 9))
    assert set(response.cookies) <= {"later", "csrftoken"}
    assert "nina" not in response.content.decode()
    assert not client.session.keys()


def test_sign_up_begins_with_the_language_of_the_page(client: Client, open_house: None) -> None:
    page = client.get("/account/signup/", headers={"accept-language": "fr"}).content.decode()
    assert '<option value="fr" selected>' in page


def test_a_country_whose_helplines_were_not_checked_for_half_a_year_takes_nobody_new(
    client: Client, open_house: None, settings: Settings
) -> None:
    settings.HELP_REQUIRED = True
    cache.clear()  # the tests before have used up this minute's sign-ups
    line = next(row.id for row in helplines().lines if row.country == "US")
    try:
        verified_put({line: clock.now().date() - timedelta(days=181)})
        page = client.post("/account/signup/", form()).content.decode()
        assert "checked the helplines for your country" in page
        assert not User.objects.filter(username=form()["username"]).exists()
        verified_put({line: clock.now().date() - timedelta(days=179)})
        assert client.post("/account/signup/", form()).status_code == 302
    finally:
        verified_put({})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "maya"}, "Somebody has that name already."),
        ({"username": "zoe o'k 🙂"}, "Letters, numbers and . _ - + @ only"),
        ({"password1": "abc"}, "A bit short: it takes 8 characters or more."),
        ({"password1": "12345678"}, "Only numbers are quick to guess."),
        ({"password1": "password1"}, "Too many people use that one"),
        ({"password1": "nina12345", "username": "nina12345"}, "too close to your user name"),
    ],
)
def test_a_no_at_sign_up_says_what_to_do(client: Client, maya: User, changes: dict[str, str], said: str) -> None:
    page = unescape(client.post("/account/signup/", form(**changes)).content.decode())
    assert said in page
    client.cookies["django_language"] = "pt-br"
    page = unescape(client.post("/account/signup/", form(**changes)).content.decode())
    assert re.search(r'class="error">[^<]+', page)
    assert said not in page


def test_a_phone_puts_no_capital_before_a_user_name(client: Client) -> None:
    for path, field in (("/account/signup/", "username"), ("/account/login/", "login")):
        found = re.search(rf'<input[^>]*name="{field}"[^>]*>', client.get(path).content.decode())
        assert found
        assert 'autocapitalize="none"' in found[0]
