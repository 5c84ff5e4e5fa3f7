"""What the widget's addresses send: who may frame, how the loader is kept, what the operator's command says."""

from __future__ import annotations

import base64
import gzip
import hashlib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from chatbot.accounts.models import User
from chatbot.core.audit import audit_of
from chatbot.core.models import AuditEntry
from chatbot.widget import sites
from chatbot.widget.loader import loader
from chatbot.widget.models import Site, Visitor
from tests.conftest import make_teen
from tests.widget.host import ORIGIN, ask, made, ticket

LOADER_BYTES = 8 * 1024
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def policy(response: object) -> dict[str, str]:
    said = response.headers["Content-Security-Policy"]  # type: ignore[attr-defined]  # an answer of the test client
    return dict(part.strip().split(" ", 1) for part in said.split(";") if part.strip())


@pytest.mark.django_db
def test_only_the_site_s_origins_may_frame_its_page_and_no_other_page_at_all(client: Client) -> None:
    site = made(origins=[ORIGIN, "https://north.example:8443"]).site
    response = client.get(f"/widget/v1/frame/{site.public_key}/")
    said = policy(response)
    assert said["frame-ancestors"] == "https://school.example https://north.example:8443"
    assert said["script-src"].startswith("'self'")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert not response.cookies
    for other in ("/", "/help/", "/widget/v1/frame/site_none/"):
        closed = client.get(other)
        assert closed.headers["X-Frame-Options"] == "DENY"
        assert policy(closed)["frame-ancestors"] == "'none'"


@pytest.mark.django_db
def test_a_site_for_an_app_alone_is_framed_by_nobody(client: Client) -> None:
    site = made(origins=["webview"]).site
    assert policy(client.get(f"/widget/v1/frame/{site.public_key}/"))["frame-ancestors"] == "'none'"


@pytest.mark.django_db
def test_the_frame_says_ai_and_offers_help_and_the_way_out_before_anybody_is_known(client: Client) -> None:
    page = client.get(f"/widget/v1/frame/{made().site.public_key}/").content.decode()
    for words in (
        'data-ai title="A computer program',
        'href="/help/"',
        "data-leave-now",
        "It's an AI",
        "<noscript>",
        "Nothing is remembered here.",
    ):
        assert words in page, words
    assert "csrfmiddlewaretoken" not in page
    assert "sw.js" not in page
    assert "page.js" not in page


@pytest.mark.django_db
def test_the_frame_speaks_the_language_and_wears_the_theme_that_the_page_asks_for(client: Client) -> None:
    site = made(languages=["en", "fr"], accent="leaf").site
    address = f"/widget/v1/frame/{site.public_key}/"
    assert '<html lang="fr" data-accent="leaf" data-private>' in client.get(f"{address}?lang=fr-CA").content.decode()
    assert '<html lang="en" data-accent="sky" data-theme="dark"' in (
        client.get(f"{address}?lang=es&theme=dark&accent=sky").content.decode()
    )
    odd = client.get(f'{address}?lang="><b>&theme="><b>&accent="><b>&origin="><b>').content.decode()
    assert '"><b>' not in odd


@pytest.mark.django_db
def test_the_frame_knows_nobody_by_cookie_and_no_lock_of_the_house_s_shuts_it(client: Client, open_house: None) -> None:
    address = f"/widget/v1/frame/{made().site.public_key}/"
    before = client.get(address).content
    maya = make_teen("maya", age=15, language="fr")
    client.force_login(maya, backend=BACKEND)
    client.get("/leave/")
    after = client.get(address)
    assert after.status_code == 200
    assert after.content == before


def test_the_loader_is_small_and_has_the_hash_that_it_says(client: Client) -> None:
    response = client.get("/widget/v1/loader.js", headers={"Accept-Encoding": "gzip"})
    assert len(response.content) < LOADER_BYTES
    text = gzip.decompress(response.content)
    assert loader().integrity == f"sha384-{base64.b64encode(hashlib.sha384(text).digest()).decode()}"
    assert client.get("/widget/v1/loader.js").content == text
    assert b"{/* words */}" not in text
    assert text.decode().count("Abra\u00e7o") >= 4
    assert not response.cookies


def test_the_loader_may_be_checked_kept_and_asked_for_again(client: Client) -> None:
    response = client.get("/widget/v1/loader.js")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    kept = client.get("/widget/v1/loader.js", {"v": loader().integrity})
    assert "immutable" in kept.headers["Cache-Control"]
    again = client.get("/widget/v1/loader.js", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_loader_needs_no_eval_no_html_and_no_host_but_its_own() -> None:
    text = Path("chatbot/static/js/widget/loader.js").read_text(encoding="utf-8")
    for word in ("eval(", "innerHTML", "insertAdjacentHTML", "document.write", "new Function", '"*"', "localStorage"):
        assert word not in text, word


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://School.Example", "https://school.example"), ("https://school.example:443/", "https://school.example"),
        ("https://école.example", "https://xn--cole-9oa.example"), ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"), ("http://[::1]:81", "http://[::1]:81"), ("webview", "webview"),
    ],
)  # fmt: skip
def test_an_origin_is_kept_as_browsers_write_it(given: str, kept: str) -> None:
    assert sites.origin_read(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "*", "https://*", "https://*.example", "school.example", "https://school.example/page", "http://school.example",
        "https://a b", "https://a;script-src", "https://a' 'unsafe-inline'", "https://user@school.example",
        "https://school.example?x", "javascript:alert(1)", "null", "file:///etc", "https://a:99999", "https://a\nb",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_no_origin(given: str) -> None:
    with pytest.raises(sites.SiteError):
        sites.origin_read(given)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("site", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_operator_adds_lists_rotates_changes_and_removes_a_site(open_house: None) -> None:
    first = said("--add", "Northside School", "--origin", ORIGIN)
    site = Site.objects.get()
    secret = first.split("secret")[1].split()[0]
    assert site.public_key in first
    assert site.secrets == [secret]
    listed = said("--list")
    assert "Northside School" in listed
    assert ORIGIN in listed
    assert secret not in listed
    assert secret not in said("--rotate", site.public_key)
    site.refresh_from_db()
    assert len(site.secrets) == 2
    assert site.secrets[1] == secret
    assert "host-consents" in said(
        "--change", site.public_key, "--origin", "https://n.example", "--host-consents", "yes"
    )
    assert "Removed" in said("--remove", site.public_key)
    assert not Site.objects.exists()
    done = [entry.action for entry in AuditEntry.objects.all()]
    assert done == ["site_added", "site_rotated", "site_changed", "site_removed"]
    assert said("--loader").startswith("sha384-")


@pytest.mark.django_db
def test_the_operator_says_that_a_visitor_grew_older(open_house: None) -> None:
    site = made()
    ticket(site, sub="student-1")
    said("--older", site.site.public_key, "student-1", "16-17")
    person = Visitor.objects.get().person
    assert person.band == "16-17"
    assert audit_of(person.id)[0].action == "band_set"
    for wrong in (("student-2", "16-17"), ("student-1", "21+")):
        with pytest.raises(CommandError):
            said("--older", site.site.public_key, *wrong)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ("--add", "Northside"), ("--add", " ", "--origin", ORIGIN), ("--add", "x" * 65, "--origin", ORIGIN),
        ("--add", "North", "--origin", "http://north.example"),
        ("--add", "North", "--origin", ORIGIN, "--accent", "mud"),
        ("--rotate", "site_none"), ("--remove", "site_none"),
    ],
)  # fmt: skip
def test_what_the_operator_gets_wrong_is_said_and_changes_nothing(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        said(*arguments)
    assert str(error.value).endswith((".", "example"))
    assert not Site.objects.exists()


@pytest.mark.django_db
def test_the_secrets_stand_sealed_in_the_table_and_move_with_the_master_key(open_house: None) -> None:
    site = made()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets, pepper FROM widget_site")
        row = cursor.fetchone()
    assert site.secret.encode() not in bytes(row[0])
    ticket(site)
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["http://[abc", "http://a]b", "null", ""])
def test_an_origin_that_is_no_address_gets_the_same_no(origin: str) -> None:
    response = ask("ticket", headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"}, site="", origin="")
    assert (response.status_code, response.json()["code"]) == (403, "not_the_frame")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["\ud800", "a\x00b", "x" * 300, ""])
def test_a_site_s_name_that_no_database_holds_is_nobody_s(name: str, client: Client) -> None:
    response = ask("ticket", site=name, origin=name, identity=name)
    assert (response.status_code, response.json()["code"]) == (404, "no_site")
    assert ask("forget", site=name, origin=name, ticket=name).status_code == 403
    assert client.get("/widget/v1/frame/%00/").status_code == 404
