from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.template.loader import get_template, render_to_string
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.views.defaults import server_error
from pytest_django import Settings

from chatbot.accounts.models import User
from chatbot.core.choices import choice_set
from chatbot.pages import views
from moderation.crisis.helplines import verified_put
from moderation.policy import policy_shipped

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PUBLIC = ("/", "/help/", "/leave/", "/about/", "/safety/", "/sw.js", "/account/login/", "/account/signup/")
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


@pytest.mark.parametrize("path", PUBLIC)
def test_everybody_signed_out_may_open_it(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", PUBLIC[:6])
@pytest.mark.parametrize("who", ["maya", "ana", "rui", "olga"])
def test_and_so_may_everybody_signed_in(client: Client, request: pytest.FixtureRequest, path: str, who: str) -> None:
    client.force_login(request.getfixturevalue(who), backend=BACKEND)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", PUBLIC[:6])
def test_nothing_public_takes_a_post(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", [*PUBLIC[:5], "/account/login/", "/nope/"])
def test_help_is_on_every_page_but_the_neutral_one(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert ('href="/help/"' in page) is (path != "/leave/")


@pytest.mark.parametrize("path", PUBLIC)
def test_no_inline_script_or_style_and_a_policy_that_forbids_them(client: Client, path: str) -> None:
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r" on[a-z]+=", page) or path == "/sw.js"
    for script in re.findall(r"<script[^>]*>", page):
        assert "src=" in script or 'type="application/json"' in script


def test_templates_have_no_inline_style_either() -> None:
    # What people take away has no server beside it: its style stands in it, under a policy of its own.
    taken = {*(TEMPLATES / "me" / "copy").iterdir(), TEMPLATES / "me" / "zine.html"}
    for path in set(TEMPLATES.rglob("*.html")) - taken:
        text = path.read_text(encoding="utf-8")
        assert " style=" not in text, path
        assert "<style" not in text, path


def test_the_landing_tells_of_the_demo_only_in_the_demo(client: Client, settings: Settings) -> None:
    assert "abraco-demo" not in text_of(client, "/")
    settings.DEBUG = True
    assert "abraco-demo" in text_of(client, "/")


def test_the_landing_says_that_it_is_an_ai_and_not_for_every_minor(client: Client) -> None:
    page = text_of(client, "/")
    assert "an AI" in page
    assert "may not be suitable for some people under 18" in page


def test_help_knows_the_country_asked_for_and_keeps_it_on_the_device(client: Client) -> None:
    assert "tel:192" in text_of(client, "/help/?country=BR")
    assert "tel:192" in text_of(client, "/help/")
    assert "tel:999" in text_of(client, "/help/?country=GB")


def test_help_shows_a_person_their_own_country_first(client: Client, maya: User) -> None:
    assert "tel:911" not in text_of(client, "/help/?country=FR")
    client.cookies.clear()
    client.force_login(maya, backend=BACKEND)
    assert "tel:911" in text_of(client, "/help/")


@pytest.mark.parametrize("country", ["XX", "", "zz", "<script>", "B" * 5000, "🇧🇷"])
def test_help_for_a_country_that_nobody_knows_is_the_world_s(client: Client, country: str) -> None:
    page = client.get("/help/", {"country": country})
    assert page.status_code == 200
    text = page.content.decode()
    assert "tel:112" in text
    assert "tel:911" in text
    assert "findahelpline.com" in text
    assert "<script>" not in text
    assert "help_country" not in page.cookies


def test_an_unknown_country_is_named_as_such(client: Client) -> None:
    assert "know that country" in text_of(client, "/help/?country=XX")
    assert "know that country" not in text_of(client, "/help/?country=ZZ")


def test_lines_that_nobody_called_are_marked_in_the_demo_and_hidden_in_production(
    client: Client, settings: Settings
) -> None:
    assert "988lifeline.org" not in text_of(client, "/help/?country=US")
    settings.DEBUG = True
    page = text_of(client, "/help/?country=US")
    assert "988lifeline.org" in page
    assert "not checked" in page


def test_a_line_that_was_called_shows_when(client: Client) -> None:
    verified_put({"us-988-suicide-crisis-lifeline": date(2026, 11, 1)})
    try:
        page = text_of(client, "/help/?country=US")
    finally:
        verified_put({})
    assert "checked 2026-11-01" in page
    assert "sms:988" in page


def test_safety_shows_version_date_helplines_and_how_it_notices(client: Client) -> None:
    page = text_of(client, "/safety/?country=FR")
    assert policy_shipped().version in page
    assert f'datetime="{views.PROTOCOL_DATE:%Y-%m-%d}"' in page
    assert "tel:112" in page
    for words in ("suicide", "self-harm", "eating disorders", "rules first", "Nobody watches live"):
        assert words in page, words


def test_safety_says_who_is_told_once_the_operator_named_somebody(client: Client) -> None:
    choice_set("duty_contact", "Ms Lima, the school nurse")
    assert "Ms Lima, the school nurse" in text_of(client, "/safety/")
    assert "Ms Lima, the school nurse" in text_of(client, "/about/")


def test_about_says_who_hosts_and_how_long_things_are_kept(client: Client, settings: Settings) -> None:
    settings.OPERATOR_NAME = "Escola Aurora"
    settings.MESSAGE_DAYS = 21
    page = text_of(client, "/about/")
    assert "Escola Aurora runs this machine" in page
    assert "21 days" in page


@pytest.mark.parametrize(
    ("engine", "words"), [("embedded", "notebook"), ("transformers", "tiny"), ("scripted", "scripted")]
)
def test_about_names_the_engine(client: Client, settings: Settings, engine: str, words: str) -> None:
    settings.ENGINE, settings.ENGINE_MODEL = engine, "tiny"
    assert words in text_of(client, "/about/")


def test_the_neutral_page_says_nothing_about_where_one_was(client: Client) -> None:
    page = text_of(client, "/leave/")
    assert not re.search("abra[cç]o[^.]", page.replace("abraco.css", ""), re.IGNORECASE)
    assert "no-store" in client.get("/leave/").headers["Cache-Control"]


def test_leaving_quickly_locks_until_the_password_is_given(client: Client, maya: User) -> None:
    client.force_login(maya, backend=BACKEND)
    client.get("/leave/")
    for path in ("/chat/", "/chat/earlier/", "/chat/search/?q=a", "/me/", "/account/deal/"):
        response = client.get(path)
        assert response.status_code == 302, path
        assert response.headers["Location"].startswith("/account/unlock/?next="), path
    assert client.get("/help/").status_code == 200
    assert client.post("/account/unlock/", {"password": "wrong one here"}).status_code == 400
    assert client.get("/chat/earlier/").status_code == 302
    opened = client.post("/account/unlock/", {"password": "abraco-tests", "next": "/chat/earlier/"})
    assert opened.headers["Location"] == "/chat/earlier/"
    assert client.get("/chat/earlier/").status_code == 200


def test_guessing_at_the_lock_is_slowed(client: Client, maya: User) -> None:
    client.force_login(maya, backend=BACKEND)
    client.get("/leave/")
    answers = [client.post("/account/unlock/", {"password": f"wrong {n}"}).content for n in range(6)]
    assert b"Too many tries" in answers[-1]
    assert client.get("/chat/earlier/").status_code == 302


def test_the_lock_sends_nobody_to_another_site(client: Client, maya: User) -> None:
    client.force_login(maya, backend=BACKEND)
    for elsewhere in ("https://example.com/", "//example.com/", "javascript:alert(1)"):
        response = client.post("/account/unlock/", {"password": "abraco-tests", "next": elsewhere})
        assert response.headers["Location"] == "/chat/"


def test_a_visit_that_was_left_signed_out_locks_nothing(client: Client, maya: User) -> None:
    client.get("/leave/")
    client.force_login(maya, backend=BACKEND)
    assert client.get("/chat/earlier/").status_code == 200


def test_the_worker_comes_from_the_root_and_keeps_no_chat(client: Client) -> None:
    response = client.get("/sw.js")
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert "no-cache" in response.headers["Cache-Control"]
    kept = re.findall(r'^  "(/[^"]*)"', response.content.decode(), re.MULTILINE)
    assert kept
    assert not [path for path in kept if "chat" in path]


@pytest.mark.parametrize("debug", [False, True])
def test_what_is_missing_gets_the_house_s_page(client: Client, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    page = text_of(client, "/no/such/page/", 404)
    assert "Nothing here" in page
    assert 'href="/help/"' in page


def test_a_form_that_lay_open_too_long_is_explained(maya: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(maya, backend=BACKEND)
    response = strict.post("/chat/friend/", {"name": "Pixel"})
    assert response.status_code == 403
    assert "too old" in response.content.decode()


def test_what_breaks_shows_a_page_that_needs_no_database(rf: RequestFactory) -> None:
    with override_settings(DEBUG=False):
        response = server_error(rf.get("/"))
    assert response.status_code == 500
    page = response.content.decode()
    assert "Something broke" in page
    assert 'href="/help/"' in page


def test_forbidden_has_a_page_of_its_own(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User()
    assert views.forbidden(request).status_code == 403


def test_the_footer_changes_the_language_of_the_pages(client: Client) -> None:
    response = client.post("/i18n/setlang/", {"language": "fr", "next": "/about/"})
    assert response.headers["Location"] == "/about/"
    assert '<html lang="fr"' in text_of(client, "/about/")


def test_a_language_that_the_house_does_not_speak_changes_nothing_for_the_worse(client: Client) -> None:
    for language in ("de", "xx", "", "../../etc"):
        client.post("/i18n/setlang/", {"language": language, "next": "/about/"})
        assert '<html lang="en"' in text_of(client, "/about/")


def test_pages_speak_the_person_s_language_until_they_choose_another(client: Client, maya: User) -> None:
    User.objects.filter(id=maya.id).update(language="pt-BR")
    client.force_login(maya, backend=BACKEND)
    assert '<html lang="pt-br"' in text_of(client, "/about/")
    client.post("/i18n/setlang/", {"language": "es", "next": "/about/"})
    assert '<html lang="es"' in text_of(client, "/about/")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_template_can_be_read(path: Path) -> None:
    get_template(str(path.relative_to(TEMPLATES)))


def test_a_closed_account_and_a_closed_door_have_pages(client: Client, maya: User) -> None:
    assert "This account is closed" in text_of(client, "/account/inactive/")
    assert "Sign-up is closed" in render_to_string("account/signup_closed.html")
    client.force_login(maya, backend=BACKEND)
    assert client.get("/account/reauthenticate/").status_code == 200


@pytest.fixture
def no_database(client: Client, maya: User) -> Iterator[None]:
    """Somebody is signed in, and then the table of sign-ins can't be read."""
    client.force_login(maya, backend=BACKEND)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_signin RENAME TO accounts_signin_away")
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("path", ["/help/?country=BR", "/leave/", "/", "/sw.js"])
def test_help_stands_while_the_database_is_away(client: Client, no_database: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "sessionid" not in response.cookies


def test_other_pages_say_that_something_broke_and_sign_nobody_out(client: Client, no_database: None) -> None:
    response = client.get("/chat/")
    assert response.status_code == 503
    assert "Something broke" in response.content.decode()
    assert "sessionid" not in response.cookies
