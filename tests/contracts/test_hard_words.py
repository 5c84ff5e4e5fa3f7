"""Words that a database can't keep: NUL, halves of a character, far too many. Every form answers in words, none breaks.

SQLite takes them all; PostgreSQL refuses NUL and what is longer than a column (tests/service/test_rows.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction
from django.test import Client

from chatbot.chat import engine
from tests.chat.house import says
from tests.contracts.cast import BACKEND, ROLES, Cast, cast_make, table
from tests.contracts.test_matrix import LIVE, body, filled

HARD = ("maya\x00", "é" * 5000)
IN_JSON = (*HARD, "\ud800", "maya\udfff")
CLOSED = ("in", "403", "404", "405", "401")


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    says("Nobody is asked here.")
    yield cast_make()
    async_to_sync(engine.engines_close)()


def who_may(address: str) -> list[str]:
    """The first of those who get in there."""
    cells = table()["POST", address]
    return [role for role in ROLES if cells[role] not in CLOSED][:1]


def signed_in(cast: Cast, role: str) -> Client:
    client = Client()
    if role != "out":
        client.force_login(cast.people[role], backend=BACKEND)
    return client


def test_no_field_of_any_form_breaks_on_them(cast: Cast) -> None:
    asked = 0
    for method, address in table():
        if method != "POST" or (method, address) in LIVE:
            continue
        given, in_json = dict(body(address, cast)), address.startswith("/api/")
        for role in who_may(address) if given else ():
            for field in given:
                for hard in IN_JSON if in_json else HARD:
                    sent = {**given, field: hard}
                    with transaction.atomic():
                        client, path = signed_in(cast, role), filled(address, cast.hers)
                        if in_json:
                            response = client.post(path, json.dumps(sent), content_type="application/json")
                        else:
                            response = client.post(path, sent)
                        transaction.set_rollback(True)
                    assert response.status_code < 500, f"{address}: {field} = {hard[:8]!r}"
                    asked += 1
    assert asked > 80


@pytest.mark.parametrize("hard", ["%00", "maya%00", "x" * 3000])
def test_no_address_breaks_on_them(cast: Cast, hard: str) -> None:
    client = signed_in(cast, "maya")
    for path in (
        f"/account/recover/{hard}/", f"/me/devices/{hard}/end/", f"/chat/search/?q={hard}",
        f"/chat/?conversation={hard}",
        f"/chat/earlier/{cast.hers['conversation_id']}/?before={hard}",
        f"/api/v1/turns/{cast.hers['turn']}?after={hard}",
        f"/help/?country={hard}", f"/account/unlock/?next={hard}",
    ):  # fmt: skip
        assert client.get(path).status_code < 500, path
        assert client.post(path, {"password": "three odd words here"}).status_code < 500, path


@pytest.mark.parametrize("value", ['"aaaaaaaa\\000"', "x" * 3000, quote("é" * 50)])
def test_a_sign_in_that_nobody_gave_out_is_none(db: None, value: str) -> None:
    client = Client()
    client.cookies.load(f"{settings.SESSION_COOKIE_NAME}={value}")
    assert client.get("/me/").status_code == 302
    assert client.get("/help/").status_code == 200
